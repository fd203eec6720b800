package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/versions"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// failed turns what the Docker Engine answered into an error of a class. doing
// says what was asked, as "create api-1-1"; "" leaves it out.
func (d *Driver) failed(doing string, err error) error {
	if err == nil {
		return nil
	}
	var known *engine.Error
	if errors.As(err, &known) {
		if strings.HasPrefix(err.Error(), "error during connect") {
			return known // what dialling said, without the request that it was for
		}
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	text := plain(err)
	if doing != "" {
		text = doing + ": " + text
	}
	e := &engine.Error{Reason: text}
	switch {
	case noAnswer(err):
		e.Class = node.ErrUnreachable
		e.Reason = fmt.Sprintf("the Docker Engine at %s does not answer: %s", d.reach.host, cause(err))
		e.Hint = "start it, or check the node's docker.host and that this user may use it"
	case portTaken(text):
		e.Class, e.Hint = engine.ErrConflict, "choose another host_port, or stop what holds it"
	case cerrdefs.IsNotFound(err):
		e.Class = engine.ErrNotFound
	case cerrdefs.IsConflict(err) || cerrdefs.IsAlreadyExists(err):
		e.Class = engine.ErrConflict
	case cerrdefs.IsUnauthorized(err) || cerrdefs.IsPermissionDenied(err):
		e.Class = engine.ErrDenied
	case cerrdefs.IsInvalidArgument(err):
		e.Class = engine.ErrInvalid
	default:
		e.Class = node.ErrInternal
		// A Docker Engine that is being stopped goes on to answer on the connections
		// that it has, but takes no new one: so the next call finds out.
		_ = d.api.Close()
	}
	return e
}

// cause is why no answer came, without what the client adds: the Docker Engine's
// address once more, and advice.
func cause(err error) string {
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Err != nil:
		return op.Err.Error()
	case strings.HasPrefix(err.Error(), "Cannot connect to the Docker daemon"):
		return "connection refused"
	default:
		return plain(err)
	}
}

// saidBy is how the client begins what the Docker Engine answered.
const saidBy = "Error response from daemon: "

// plain is the error's text without the words that every answer begins with.
func plain(err error) string {
	return strings.TrimSpace(strings.TrimPrefix(err.Error(), saidBy))
}

// answered reports whether the error is what the Docker Engine said, whatever words
// are in it.
func answered(err error) bool {
	var inStream *jsonstream.Error
	return errors.As(err, &inStream) || strings.Contains(err.Error(), saidBy)
}

// noAnswer reports whether no answer came, or only a part of one. What the
// Docker Engine says of others that do not answer, such as a registry, is text.
func noAnswer(err error) bool {
	for _, broken := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.ECONNREFUSED, syscall.EPIPE} {
		if errors.Is(err, broken) {
			return true
		}
	}
	var op *net.OpError
	return client.IsErrConnectionFailed(err) || errors.As(err, &op)
}

// portTaken reports whether a start failed for a published port.
func portTaken(text string) bool {
	return strings.Contains(text, "port is already allocated") || strings.Contains(text, "address already in use") ||
		strings.Contains(text, "ports are not available") || strings.Contains(text, "failed to bind")
}

func gone(k node.Key) error {
	return engine.NotFound("instance", k.Deployment+" "+k.Name)
}

func checkVersion(api string) error {
	if api == "" || !versions.LessThan(api, minAPIVersion) {
		return nil
	}
	return &engine.Error{Class: engine.ErrUnsupported, Reason: fmt.Sprintf("the Docker Engine speaks API %s, at least %s is needed", api, minAPIVersion),
		Hint: "update it to Docker 20.10 or newer"}
}

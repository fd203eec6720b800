package ingress

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Dial connects to a TCP port of an instance of the proxy.
type Dial func(ctx context.Context, port int) (net.Conn, error)

// Client speaks to a running instance of the proxy. What is none of its
// component's business it answers without asking. It is safe for concurrent use.
type Client struct {
	component string
	dial      Dial
	node      engine.NodeIngress
	token     string
	at        place
}

// NewClient speaks to an instance of a component of a node's ingress, which has
// the token in EnvToken.
func NewClient(component string, dial Dial, n engine.NodeIngress, token string) *Client {
	return &Client{component: component, dial: dial, node: n, token: token, at: Input{}.place()}
}

// largest is as much of an answer as is read.
const largest = 64 << 20

// response is what the proxy answered, read to its end.
type response struct {
	status int
	header http.Header
	body   []byte
}

// own reports whether the proxy itself answered, and no component.
func (r response) own() bool { return r.header.Get(ownAnswer) != "" }

// said is what the proxy says went wrong.
func (r response) said() string {
	var failure struct {
		Error string `json:"error"`
	}
	text := strings.TrimSpace(string(r.body))
	if json.Unmarshal(r.body, &failure) == nil && failure.Error != "" {
		text = failure.Error
	}
	if len(text) > 500 {
		text = text[:500] + "…"
	}
	return text
}

// command asks the control port.
func (c *Client) command(ctx context.Context, method, path string, body []byte, headers ...string) (response, error) {
	req, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("http://ingress:%d%s", c.at.control, path), bytes.NewReader(body))
	if err != nil {
		return response{}, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	r, err := c.do(req)
	for range interruptions {
		// Caddy's own endpoint is replaced with every change of the configuration, too.
		if err != nil || r.status != http.StatusBadGateway || !r.own() {
			break
		}
		r, err = c.do(req)
	}
	switch {
	case err != nil:
		return r, err
	case r.status == http.StatusNotFound && r.own():
		return r, &engine.Error{Class: engine.ErrDenied, Reason: "the node's ingress does not take this engine's token",
			Hint: "Another engine manages the ingress of this node, or it was started by hand"}
	default:
		return r, nil
	}
}

// interruptions are how often a request is sent again that the proxy dropped
// while somebody changed its configuration. All requests may be sent again.
const interruptions = 10

// errDial says that there was no connection at all.
var errDial = errors.New("no connection")

func (c *Client) do(req *http.Request) (response, error) {
	r, err := c.once(req)
	for range interruptions {
		dead := errors.Is(err, errDial) && !errors.Is(err, syscall.ECONNRESET) // a listener that is replaced resets who waits
		if err == nil || dead || req.Context().Err() != nil {
			break
		}
		r, err = c.once(req)
	}
	if err != nil {
		return r, unreachable(err)
	}
	return r, nil
}

// once sends a request on a connection of its own: the proxy closes those that are
// kept when its configuration changes.
func (c *Client) once(req *http.Request) (response, error) {
	transport := &http.Transport{
		DisableKeepAlives: true, DisableCompression: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // an answer is wanted, whose it is is not asked
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			number, err := strconv.Atoi(port)
			if err != nil {
				return nil, err
			}
			conn, err := c.dial(ctx, number)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", errDial, err)
			}
			return conn, nil
		},
	}
	defer transport.CloseIdleConnections()
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return response{}, err
		}
		req.Body = body
	}
	answer, err := transport.RoundTrip(req)
	if err != nil {
		return response{}, err
	}
	defer answer.Body.Close() //nolint:errcheck // read to the end
	body, err := io.ReadAll(io.LimitReader(answer.Body, largest))
	if err != nil {
		return response{}, err
	}
	for name, values := range answer.Trailer {
		answer.Header[name] = values
	}
	return response{status: answer.StatusCode, header: answer.Header, body: body}, nil
}

func unreachable(err error) error {
	return &engine.Error{Class: engine.ErrUnavailable, Reason: "the node's ingress does not answer", Err: err,
		Hint: "Look at the logs of the ingress on the node; the engine starts it again when it was removed"}
}

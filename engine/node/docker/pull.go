package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	images "github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// pull is one pull under way, that others wait for too.
type pull struct {
	done chan struct{}
	err  error
}

// Pull implements node.Driver.
func (d *Driver) Pull(ctx context.Context, image node.Image) error {
	digest := digestOf(image.Reference)
	for {
		d.mu.Lock()
		other := d.pulls[digest]
		if other == nil {
			break
		}
		d.mu.Unlock()
		select {
		case <-other.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if other.err == nil || !cancelled(other.err) {
			return other.err
		}
	}
	own := &pull{done: make(chan struct{})}
	d.pulls[digest] = own
	d.mu.Unlock()
	own.err = d.pull(ctx, image)
	d.mu.Lock()
	delete(d.pulls, digest)
	if len(d.pulls) == 0 {
		d.shelf.clear()
	}
	d.mu.Unlock()
	close(own.done)
	return own.err
}

// pullsOthers reports whether more than one image is under way.
func (d *Driver) pullsOthers() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.pulls) > 1
}

func cancelled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// pull has the Docker Engine pull the image, or carries it there when that cannot
// use the registry.
func (d *Driver) pull(ctx context.Context, image node.Image) error {
	found, err := d.lookFor(ctx, image.Reference)
	if err != nil {
		return err
	}
	if found != nil {
		err = d.share(ctx, image.Reference, *found)
		if !errors.Is(err, engine.ErrNotFound) { // else another engine has just pruned it
			return err
		}
	}
	err = d.pullThere(ctx, image)
	if err == nil {
		if err = d.fits(ctx, image); err != nil {
			return err
		}
		return d.remember(ctx, image.Reference, runReference(image.Reference))
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if cannotUse(err) {
		return d.carry(ctx, image, err)
	}
	return d.pullFailed(image, err)
}

// pullThere has the Docker Engine pull.
func (d *Driver) pullThere(ctx context.Context, image node.Image) error {
	options := client.ImagePullOptions{}
	if image.Auth.Username != "" {
		host, _, _ := strings.Cut(image.Reference, "/")
		auth, err := authconfig.Encode(registry.AuthConfig{Username: image.Auth.Username, Password: image.Auth.Password, ServerAddress: host})
		if err != nil {
			return err
		}
		options.RegistryAuth = auth
	}
	answer, err := d.api.ImagePull(ctx, runReference(image.Reference), options)
	if err != nil {
		return err
	}
	defer answer.Close()
	return answer.Wait(ctx)
}

// fits refuses an image that was brought for another platform, which Docker
// notices only when it is started, and takes it away again.
func (d *Driver) fits(ctx context.Context, image node.Image) error {
	found, err := d.api.ImageInspect(ctx, runReference(image.Reference))
	if err != nil {
		return d.failed("look at image "+image.Reference, err)
	}
	info, err := d.Info(ctx)
	if is := found.Os + "/" + found.Architecture; err == nil && !images.Runs(is, info.Platform) {
		err = engine.Unsupported("", fmt.Sprintf("image %s is for %s, the node is %s", image.Reference, is, info.Platform),
			"build the image for the node's platform too")
		_, _ = d.api.ImageRemove(context.WithoutCancel(ctx), runReference(image.Reference), client.ImageRemoveOptions{PruneChildren: true})
	}
	return err
}

// share keeps an image that another engine brought to the node from going with
// that. What people brought there stays theirs.
func (d *Driver) share(ctx context.Context, reference string, found imageThere) error {
	others := slices.ContainsFunc(found.RepoTags, marks.MatchString)
	own := slices.ContainsFunc(found.RepoTags, func(t string) bool { return plainTag(t) == d.mark(reference) })
	if !others || own {
		return nil
	}
	return d.remember(ctx, reference, found.name)
}

// remember marks an image as brought to the node by this engine.
func (d *Driver) remember(ctx context.Context, reference, name string) error {
	_, err := d.api.ImageTag(ctx, client.ImageTagOptions{Source: name, Target: d.mark(reference)})
	return d.failed("remember image "+reference, err)
}

// says reports whether an error has one of the signs in it, in any case.
func says(err error, signs ...string) bool {
	text := strings.ToLower(plain(err))
	return slices.ContainsFunc(signs, func(s string) bool { return strings.Contains(text, s) })
}

// cannotUse reports whether the Docker Engine could not reach a registry, or did
// not trust it: another place may fare better.
func cannotUse(err error) bool {
	return answered(err) && says(err, "x509", "certificate", "tls: ", "http response to https client", "dial tcp", "no such host",
		"connection refused", "connection reset", "i/o timeout", "eof", "request canceled", "client.timeout", "deadline exceeded", "proxyconnect")
}

// pullFailed tells what the registry said to the Docker Engine.
func (d *Driver) pullFailed(image node.Image, err error) error {
	e := &engine.Error{Class: engine.ErrUnavailable, Reason: fmt.Sprintf("the node cannot pull %s: %s", image.Reference, plain(err))}
	switch {
	case !answered(err), says(err, "grpc:", "context canceled"): // of the Docker Engine's own parts: it is being stopped
		return d.failed("pull "+image.Reference, err)
	case says(err, "no matching manifest", "does not match the specified platform", "no image found in manifest list", "no image found in image index"):
		e.Class, e.Hint = engine.ErrUnsupported, "build the image for the node's platform too"
	case says(err, "unauthorized", "denied", "authentication required", "no basic auth"):
		e.Class, e.Hint = engine.ErrDenied, "check the credentials of the slipway_registry"
	case says(err, "manifest unknown", "not found", "unknown blob", "manifest_unknown", "name_unknown", "blob_unknown"): // some pass a registry's answer on as it came
		e.Class, e.Hint = engine.ErrNotFound, "it was removed from the registry; push it again or choose another"
	case says(err, "no space left"):
		e.Hint = "free disk space on the node"
	case says(err, "toomanyrequests", "too many requests"):
		e.Hint = "wait a while, or give the slipway_registry credentials with a higher limit"
	default:
		e.Hint = "look at the registry, and at the log of the node's Docker Engine"
	}
	return e
}

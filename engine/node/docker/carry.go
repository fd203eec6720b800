package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// carry pulls an image in this process, which may reach and trust a registry that
// the Docker Engine cannot use, and hands it over. There it is known by our mark
// alone: an Engine tells the digests only of what it pulled itself. unable is why
// it did not.
func (d *Driver) carry(ctx context.Context, i node.Image, unable error) error {
	info, err := d.Info(ctx)
	if err != nil {
		return err
	}
	mark, err := name.NewTag(d.mark(i.Reference))
	if err != nil {
		return err
	}
	login := image.Credential{Username: i.Auth.Username, Password: i.Auth.Password, CACertificate: i.Auth.CACertificate}
	from := source{Image: i, credential: login.For(i.Reference, i.Auth.PlainHTTP)}
	err = image.Persist(ctx, func() error {
		found, err := d.images.Fetch(ctx, i.Reference, info.Platform, from.credential)
		if err != nil {
			return err
		}
		return d.load(ctx, mark, &shelvedImage{Image: found, ctx: ctx, shelf: &d.shelf, keep: d.pullsOthers})
	})
	var atRegistry *engine.Error
	switch err = from.explain(err); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &atRegistry):
		return neitherWay(i, unable, atRegistry)
	default:
		return d.pullFailed(i, err)
	}
}

// neitherWay tells both: why the Docker Engine did not pull, and why we could not.
func neitherWay(i node.Image, unable error, here *engine.Error) error {
	reason := fmt.Sprintf("the node cannot pull %s: %s; nor can it be carried there: %s", i.Reference, plain(unable), here.Reason)
	return &engine.Error{Class: here.Class, Reason: reason, Hint: here.Hint}
}

// source is where an image is carried from.
type source struct {
	node.Image

	credential image.Credential
}

// broken is what went wrong between a registry and us in the midst of a transfer.
type broken struct{ error }

func (b broken) Unwrap() error { return b.error }

func (s source) explain(err error) error {
	var registry broken
	if !errors.As(err, &registry) {
		return err
	}
	r, invalid := image.Parse(s.Reference)
	if invalid != nil {
		return invalid
	}
	return image.Explain(r, s.credential, registry.error)
}

// load streams an image to the Docker Engine, layer by layer as they come in. Both
// sides check them: we against the manifest, the Engine against the configuration.
func (d *Driver) load(ctx context.Context, mark name.Tag, found v1.Image) error {
	out, in := io.Pipe()
	fetched := make(chan error, 1)
	go func() {
		err := tarball.Write(mark, found, in)
		in.CloseWithError(err)
		fetched <- err
	}()
	err := d.loadFrom(ctx, out)
	_ = out.CloseWithError(io.ErrClosedPipe)
	if why := <-fetched; why != nil && !errors.Is(why, io.ErrClosedPipe) {
		return broken{why}
	}
	return err
}

func (d *Driver) loadFrom(ctx context.Context, stream io.Reader) error {
	answer, err := d.api.ImageLoad(ctx, stream, client.ImageLoadWithQuiet(true))
	if err != nil {
		return err
	}
	defer answer.Close()
	for lines := json.NewDecoder(answer); ; {
		var line jsonstream.Message
		switch err := lines.Decode(&line); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case line.Error != nil:
			return line.Error
		}
	}
}

package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/container"
	imagetypes "github.com/moby/moby/api/types/image"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	images "github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Has implements node.Driver.
func (d *Driver) Has(ctx context.Context, image node.Image) (bool, error) {
	_, err := d.api.ImageInspect(ctx, runReference(image.Reference))
	if cerrdefs.IsNotFound(err) {
		return false, nil
	}
	return err == nil, d.failed("look for image "+image.Reference, err)
}

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
	d.mu.Unlock()
	close(own.done)
	return own.err
}

func cancelled(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func (d *Driver) pull(ctx context.Context, image node.Image) error {
	if has, err := d.Has(ctx, image); err != nil || has {
		return err
	}
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
	if err == nil {
		err = answer.Wait(ctx)
		answer.Close()
	}
	if err != nil {
		return d.pullFailed(ctx, image, err)
	}
	if err := d.fits(ctx, image); err != nil {
		return err
	}
	_, err = d.api.ImageTag(ctx, client.ImageTagOptions{Source: runReference(image.Reference), Target: d.mark(image.Reference)})
	return d.failed("remember image "+image.Reference, err)
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

// pullFailed tells what the registry said to the Docker Engine.
func (d *Driver) pullFailed(ctx context.Context, image node.Image, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if noAnswer(err) {
		return d.failed("pull "+image.Reference, err)
	}
	text := plain(err)
	e := &engine.Error{Class: engine.ErrUnavailable, Reason: fmt.Sprintf("the node cannot pull %s: %s", image.Reference, text)}
	has := func(signs ...string) bool {
		return slices.ContainsFunc(signs, func(s string) bool { return strings.Contains(strings.ToLower(text), s) })
	}
	switch {
	case has("grpc:", "context canceled"): // of the Docker Engine's own parts: it is being stopped
		return d.failed("pull "+image.Reference, err)
	case has("no matching manifest", "does not match the specified platform"):
		e.Class, e.Hint = engine.ErrUnsupported, "build the image for the node's platform too"
	case has("unauthorized", "denied", "authentication required", "no basic auth"):
		e.Class, e.Hint = engine.ErrDenied, "check the credentials of the slipway_registry"
	case has("manifest unknown", "not found", "unknown blob"):
		e.Class, e.Hint = engine.ErrNotFound, "it was removed from the registry; push it again or choose another"
	case has("no space left"):
		e.Hint = "free disk space on the node"
	case has("certificate", "http response to https client", "x509"):
		e.Hint = "the Docker Engine itself must trust the registry: put its certificate into /etc/docker/certs.d, or list it in insecure-registries"
	default:
		e.Hint = "the Docker Engine of the node must reach the registry"
	}
	return e
}

// HealthCheck implements node.Driver.
func (d *Driver) HealthCheck(ctx context.Context, image node.Image) (*engine.HealthCheck, error) {
	found, err := d.api.ImageInspect(ctx, runReference(image.Reference))
	if err != nil {
		return nil, d.failed("look at image "+image.Reference, err)
	}
	if found.Config == nil || found.Config.Healthcheck == nil || len(found.Config.Healthcheck.Test) < 2 {
		return nil, nil
	}
	h := found.Config.Healthcheck
	check := &engine.HealthCheck{Exec: &engine.ExecCheck{}, Interval: durationOf(h.Interval), Timeout: durationOf(h.Timeout), StartPeriod: durationOf(h.StartPeriod)}
	switch h.Test[0] {
	case "CMD":
		check.Exec.Command = h.Test[1:]
	case "CMD-SHELL":
		check.Exec.Command = []string{"/bin/sh", "-c", h.Test[1]}
	default:
		return nil, nil
	}
	if h.Retries > 0 {
		check.Threshold, check.Window = h.Retries, h.Retries
	}
	return check, nil
}

// durationOf spells a duration, "" where the image leaves it out.
func durationOf(t time.Duration) string {
	if t == 0 {
		return ""
	}
	return t.String()
}

// mark is the tag by which the engine knows what it brought to the node.
func (d *Driver) mark(reference string) string {
	return d.markRepository() + ":" + strings.TrimPrefix(digestOf(reference), "sha256:")
}

func (d *Driver) markRepository() string {
	return "slipway/" + strings.ToLower(strings.ReplaceAll(d.cfg.EngineID, "_", "-"))
}

func digestOf(reference string) string {
	_, digest, _ := strings.Cut(reference, "@")
	return digest
}

// Prune implements node.Driver. What others tagged, and what any container was
// made from, stays.
func (d *Driver) Prune(ctx context.Context, keep []string) error {
	marked, err := d.api.ImageList(ctx, client.ImageListOptions{Filters: make(client.Filters).Add("reference", d.markRepository())})
	if err != nil {
		return d.failed("list images", err)
	}
	kept := map[string]bool{}
	for _, reference := range keep {
		kept[d.mark(reference)] = true
	}
	left := slices.DeleteFunc(marked.Items, func(i imagetypes.Summary) bool {
		return slices.ContainsFunc(i.RepoTags, func(t string) bool { return kept[t] })
	})
	if len(left) == 0 {
		return nil
	}
	containers, err := d.api.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		return d.failed("list containers", err)
	}
	var errs []error
	for _, image := range left {
		if !slices.ContainsFunc(containers.Items, func(c container.Summary) bool { return c.ImageID == image.ID }) {
			errs = append(errs, d.forget(ctx, image.ID))
		}
	}
	return errors.Join(errs...)
}

// forget takes back the marks; when nobody else tagged the image it goes.
func (d *Driver) forget(ctx context.Context, id string) error {
	found, err := d.api.ImageInspect(ctx, id) // a filtered list tells the tags that pass only
	if err != nil {
		return d.failed("look at image "+id, ignoreGone(err))
	}
	var names []string
	othersToo := false
	for _, t := range found.RepoTags {
		if strings.HasPrefix(t, d.markRepository()+":") {
			names = append(names, t)
		} else {
			othersToo = true
		}
	}
	if !othersToo {
		names = append(names, found.RepoDigests...)
	}
	for _, name := range names {
		_, err := d.api.ImageRemove(ctx, name, client.ImageRemoveOptions{PruneChildren: true})
		if ignoreGone(err) != nil && !cerrdefs.IsConflict(err) { // a container was made from it meanwhile
			return d.failed("remove image "+name, err)
		}
	}
	return nil
}

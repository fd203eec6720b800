package docker

import (
	"context"
	"regexp"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Has implements node.Driver.
func (d *Driver) Has(ctx context.Context, image node.Image) (bool, error) {
	found, err := d.lookFor(ctx, image.Reference)
	return found != nil, err
}

// imageThere is an image on the node.
type imageThere struct {
	client.ImageInspectResult

	name string // what the Docker Engine knows it by
}

// lookFor finds an image on the node, nil when it is not there. The Docker Engine
// knows what it pulled by its digest, and what was carried there by our mark.
func (d *Driver) lookFor(ctx context.Context, reference string) (*imageThere, error) {
	for _, name := range []string{runReference(reference), d.mark(reference)} {
		found, err := d.api.ImageInspect(ctx, name)
		if err == nil {
			d.setRunName(reference, name)
			return &imageThere{ImageInspectResult: found, name: name}, nil
		}
		if !cerrdefs.IsNotFound(err) {
			return nil, d.failed("look for image "+reference, err)
		}
	}
	d.setRunName(reference, "") // it may come back under another
	return nil, nil
}

// runName is what containers of the image are made from. One that is not there is
// left to the Docker Engine to miss.
func (d *Driver) runName(ctx context.Context, reference string) (string, error) {
	d.mu.Lock()
	name := d.runNames[reference]
	d.mu.Unlock()
	if name != "" {
		return name, nil
	}
	found, err := d.lookFor(ctx, reference)
	if err != nil || found == nil {
		return runReference(reference), err
	}
	return found.name, nil
}

func (d *Driver) setRunName(reference, name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.runNames[reference] = name
}

// HealthCheck implements node.Driver.
func (d *Driver) HealthCheck(ctx context.Context, image node.Image) (*engine.HealthCheck, error) {
	found, err := d.lookFor(ctx, image.Reference)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, &engine.Error{Class: engine.ErrNotFound, Reason: "the image " + image.Reference + " is not on the node"}
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

// runReference is the pinned image without its tag, as every Docker Engine takes it.
func runReference(pinned string) string {
	base, digest, found := strings.Cut(pinned, "@")
	if !found {
		return pinned
	}
	if colon := strings.LastIndexByte(base, ':'); colon > strings.LastIndexByte(base, '/') {
		base = base[:colon]
	}
	return base + "@" + digest
}

// mark is the tag by which the engine knows what it brought to the node.
func (d *Driver) mark(reference string) string {
	return d.markRepository() + ":" + hexOf(reference)
}

// marks are those of every engine, as any Docker Engine spells them.
var marks = regexp.MustCompile(`^((docker\.io|localhost)/)?slipway/[^/:]+:[0-9a-f]{64}$`)

func (d *Driver) markRepository() string {
	return "slipway/" + strings.ToLower(strings.ReplaceAll(d.cfg.EngineID, "_", "-"))
}

func digestOf(reference string) string {
	_, digest, _ := strings.Cut(reference, "@")
	return digest
}

// hexOf is the digest without its algorithm.
func hexOf(reference string) string { return strings.TrimPrefix(digestOf(reference), "sha256:") }

// plainTag is a local tag as it was given: Podman puts a registry in front.
func plainTag(tag string) string {
	if marks.MatchString(tag) {
		tag = tag[strings.Index(tag, "slipway/"):]
	}
	return tag
}

package core

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// registryPatience is how long creating a version waits for its team's registry
// to be declared: nothing in a configuration orders the two, so in one apply
// the version often comes first.
const registryPatience = 20 * time.Second

// pinTTL bounds how long a run may take from its plan to its apply.
const pinTTL = 24 * time.Hour

const registryPoll = 250 * time.Millisecond

// maxResolves is how many references are asked for at the same time.
const maxResolves = 8

// resolveAll pins the image of every component. known are pins that hold
// already, by component; a reference that is in known stays what it was. What
// cannot be judged yet is left out: a registry without credentials, stored or in
// planned, may get them later in this run.
func (e *Engine) resolveAll(ctx context.Context, version, teamID string, components map[string]engine.Component, known map[string]string, planned map[string]engine.PlannedRegistry) (map[string]string, error) {
	pins := make([]string, len(components))
	failed := make([]error, len(components))
	names := slices.Sorted(maps.Keys(components))
	var group errgroup.Group
	group.SetLimit(maxResolves)
	for i, name := range names {
		reference := components[name].Image
		if pin := known[name]; pin != "" && pinsReference(pin, reference) {
			pins[i] = pin
			continue
		}
		group.Go(func() error {
			pins[i], failed[i] = e.resolve(ctx, version, name, teamID, reference, planned)
			failed[i] = engine.At("components."+name+".image", failed[i])
			return nil
		})
	}
	_ = group.Wait() // failures are gathered per component
	all := map[string]string{}
	for i, name := range names {
		if pins[i] != "" {
			all[name] = pins[i]
		}
	}
	return all, errors.Join(failed...)
}

// pinsReference reports whether the pin was made of that reference.
func pinsReference(pin, reference string) bool {
	parsed, err := image.Parse(reference)
	if err != nil {
		return false
	}
	return image.Pin(parsed.String(), image.Digest(pin)) == pin
}

// resolve pins one reference, once per run (see Service.BeginRun). "" and no
// error means that it cannot be known yet.
func (e *Engine) resolve(ctx context.Context, version, component, teamID, reference string, planned map[string]engine.PlannedRegistry) (string, error) {
	e.mu.Lock()
	run := e.run
	e.mu.Unlock()
	if digest, err := e.store.PinnedImage(ctx, run, version, component, reference); err != nil || digest != "" {
		return pinOf(reference, digest), err
	}
	credential, declared, err := e.plannedCredential(ctx, teamID, reference, planned)
	if err != nil {
		return "", err
	}
	found, err := e.images.Resolve(ctx, reference, credential)
	undecided := errors.Is(err, engine.ErrDenied) || errors.Is(err, engine.ErrUnavailable)
	switch {
	case err != nil && !declared && undecided:
		return "", nil
	case err != nil:
		return "", err
	}
	if err := e.runsOn(ctx, teamID, found); err != nil {
		return "", err
	}
	return pinOf(reference, found.Digest), e.store.PinImage(ctx, store.Pin{
		Run: run, VersionID: version, Component: component, Reference: reference, Digest: found.Digest,
	}, pinTTL)
}

func pinOf(reference, digest string) string {
	parsed, err := image.Parse(reference)
	if err != nil || digest == "" {
		return ""
	}
	return image.Pin(parsed.String(), digest)
}

// runsOn refuses an image that no node of the team could run. Where a node does
// not say what it is, or there is none yet, nothing is judged here: a node
// refuses the image when it pulls it, before anything old is touched.
func (e *Engine) runsOn(ctx context.Context, teamID string, found engine.Image) error {
	said := slices.DeleteFunc(slices.Clone(found.Platforms), func(p string) bool { return strings.Trim(p, "/") == "" })
	if teamID == "" || len(said) == 0 { // it is taken at its word
		return nil
	}
	nodes, err := e.store.ListNodesByTeam(ctx, teamID)
	if err != nil || len(nodes) == 0 {
		return err
	}
	var platforms []string
	for _, n := range nodes {
		platform := e.platformOf(ctx, n)
		if platform == "" || slices.ContainsFunc(said, func(p string) bool { return image.Runs(p, platform) }) {
			return nil
		}
		platforms = append(platforms, platform)
	}
	slices.Sort(platforms)
	return &engine.Error{
		Class:  engine.ErrUnsupported,
		Reason: fmt.Sprintf("image %s is for %s, the node is %s", found.Reference, strings.Join(said, ", "), strings.Join(slices.Compact(platforms), " or ")),
		Hint:   "build the image for the node's platform too, or use another tag",
	}
}

// platformOf asks a node what it is, "" when it does not answer.
func (e *Engine) platformOf(ctx context.Context, n engine.Node) string {
	d, err := e.driver(ctx, n)
	if err != nil {
		return ""
	}
	info, err := d.Info(ctx)
	if err != nil {
		return ""
	}
	return info.Platform
}

// resolveOrWait is resolveAll for creating: every image must get its pin and be
// within reach of what is stored, since a deployment may want it at once. A
// registry that is declared in the same run gets a moment to appear. Pins in
// stored were within reach before.
func (e *Engine) resolveOrWait(ctx context.Context, version, teamID string, components map[string]engine.Component, known, stored map[string]string) (map[string]string, error) {
	deadline := e.clock.Now().Add(registryPatience)
	for {
		pins, err := e.resolveAll(ctx, version, teamID, components, known, nil)
		if err != nil {
			return nil, err
		}
		if len(pins) == len(components) {
			within, err := e.withinReach(ctx, teamID, pins, stored)
			if err != nil || within {
				return pins, err
			}
		}
		if e.clock.Now().After(deadline) {
			return nil, e.explainMissing(ctx, teamID, components)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-e.after(registryPoll):
		}
	}
}

// withinReach reports whether every new pin can be asked for with what is
// stored. A pin that the registry does not have (any more) is an error.
func (e *Engine) withinReach(ctx context.Context, teamID string, pins, stored map[string]string) (bool, error) {
	for _, name := range slices.Sorted(maps.Keys(pins)) {
		if pins[name] == stored[name] {
			continue
		}
		credential, declared, err := e.credentialFor(ctx, teamID, pins[name])
		if err != nil {
			return false, err
		}
		_, err = e.images.Resolve(ctx, pins[name], credential)
		undecided := errors.Is(err, engine.ErrDenied) || errors.Is(err, engine.ErrUnavailable)
		switch {
		case err != nil && !declared && undecided:
			return false, nil
		case err != nil:
			return false, engine.At("components."+name+".image", err)
		}
	}
	return true, nil
}

// explainMissing asks once more, to tell what the registry answers.
func (e *Engine) explainMissing(ctx context.Context, teamID string, components map[string]engine.Component) error {
	var failed []error
	for _, name := range slices.Sorted(maps.Keys(components)) {
		_, err := e.images.Resolve(ctx, components[name].Image, image.Credential{})
		if err == nil {
			continue
		}
		var known *engine.Error
		if errors.As(err, &known) {
			told := *known
			told.Hint = fmt.Sprintf("no slipway_registry of team %s matches this image: declare one if it needs credentials, a CA certificate or plain HTTP", teamID)
			if known.Hint != "" {
				told.Hint = known.Hint + "; " + told.Hint
			}
			err = &told
		}
		failed = append(failed, engine.At("components."+name+".image", err))
	}
	return errors.Join(failed...)
}

// plannedCredential is credentialFor with the registries that this run plans.
func (e *Engine) plannedCredential(ctx context.Context, teamID, reference string, planned map[string]engine.PlannedRegistry) (image.Credential, bool, error) {
	own := slices.DeleteFunc(slices.Collect(maps.Values(planned)), func(r engine.PlannedRegistry) bool { return r.TeamID != teamID })
	if credential, found, err := e.credentialOf(ctx, reference, own); err != nil || found {
		return credential, found, err
	}
	return e.credentialFor(ctx, teamID, reference)
}

// credentialFor finds the team's stored registry for a reference.
func (e *Engine) credentialFor(ctx context.Context, teamID, reference string) (image.Credential, bool, error) {
	if teamID == "" {
		return image.Credential{}, false, nil
	}
	stored, err := e.store.ListRegistriesByTeam(ctx, teamID)
	if err != nil {
		return image.Credential{}, false, err
	}
	own := make([]engine.PlannedRegistry, 0, len(stored))
	for _, r := range stored {
		own = append(own, engine.PlannedRegistry{Registry: r})
	}
	return e.credentialOf(ctx, reference, own)
}

// credentialOf picks the registry that matches the reference.
func (e *Engine) credentialOf(ctx context.Context, reference string, registries []engine.PlannedRegistry) (image.Credential, bool, error) {
	all := make([]image.Credential, 0, len(registries))
	owners := map[string]engine.PlannedRegistry{}
	for _, r := range registries {
		all = append(all, image.Credential{URL: r.URL, Username: r.Username, CACertificate: r.CACertificate})
		owners[r.URL] = r
	}
	match, ok := image.Match(reference, all)
	if !ok {
		return image.Credential{}, false, nil
	}
	var err error
	match.Password, err = e.passwordOf(ctx, owners[match.URL])
	return match, err == nil, err
}

// nodeImage is a pinned image with what its node needs to pull it.
func (e *Engine) nodeImage(ctx context.Context, teamID, pinned string) (node.Image, error) {
	credential, _, err := e.credentialFor(ctx, teamID, pinned)
	if err != nil {
		return node.Image{}, err
	}
	return node.Image{Reference: pinned, Auth: node.Auth{
		Username: credential.Username, Password: credential.Password,
		CACertificate: credential.CACertificate, PlainHTTP: credential.PlainHTTP(),
	}}, nil
}

// ResolveImage implements engine.Service.
func (e *Engine) ResolveImage(ctx context.Context, reference, teamID string) (engine.Image, error) {
	credential, _, err := e.credentialFor(ctx, teamID, reference)
	if err != nil {
		return engine.Image{}, err
	}
	return e.images.Resolve(ctx, reference, credential)
}

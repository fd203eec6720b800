package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Create implements node.Driver. Until its files are in it, the container has
// another name, so that a half made one is never taken for an instance.
func (d *Driver) Create(ctx context.Context, spec node.Spec) error {
	return d.sure(spec.Key.Deployment, d.create(ctx, spec))
}

func (d *Driver) create(ctx context.Context, spec node.Spec) error {
	list, err := d.kin(ctx, spec)
	if err != nil {
		return err
	}
	siblings := wholeOf(list)
	if slices.ContainsFunc(siblings, func(c container.Summary) bool {
		return keyOf(c.Labels) == spec.Key && c.State != container.StateDead
	}) {
		return nil
	}
	cutOff := func(c container.Summary) bool { return keyOf(c.Labels) == spec.Key && rank(c) == halfMade }
	if err := d.removeThose(ctx, list, cutOff); err != nil {
		return err
	}
	if err := d.ensureNetwork(ctx, spec.Key.Deployment); err != nil {
		return err
	}
	fresh, err := d.ensureVolumes(ctx, spec)
	if err != nil {
		return err
	}
	run, err := d.runName(ctx, spec.Image)
	if err != nil {
		return err
	}
	made, err := d.describe(spec, run, d.chosenFor(spec, siblings))
	if err != nil {
		return err
	}
	if err := d.fillUlimits(ctx, spec, made.host); err != nil {
		return d.failed("ask for the usual ulimits", err)
	}
	files, err := filesOf(spec.Component.Files)
	if err != nil {
		return err
	}
	made.address = d.takeAddress(spec.Key.Deployment)
	var aliases []string
	if !takesOver(spec.Labels, siblings) {
		aliases = []string{spec.Labels.Component}
	}
	id, err := d.build(ctx, containerName(spec.Key), made, files, fresh, aliases)
	if err != nil {
		return d.failed("create "+spec.Key.Name, err)
	}
	d.setNamed(id, len(aliases) > 0)
	d.noteMade(id, containerName(spec.Key), made.config.Labels)
	return nil
}

// takesOver reports whether instances of another revision have the component's
// name: then a new one gets it with the traffic. Where nothing else answers to
// the name, a new instance has it from the start.
func takesOver(about node.Labels, siblings []container.Summary) bool {
	for _, s := range siblings {
		if s.State == container.StateRunning && aboutOf(s.Labels).Revision != about.Revision {
			return true
		}
	}
	return false
}

// build makes a container with everything that is copied into it. Files go into
// one under another name first.
func (d *Driver) build(ctx context.Context, name string, made creation, files []file, fresh []string, aliases []string) (string, error) {
	making := name
	if len(files)+len(fresh)+len(made.made.Networks) > 0 {
		making = name + unfinished + strings.ToLower(rand.Text()[:8]) // a call that was cut off may still hold any other name
	}
	removeFiles, err := d.prepareReadOnly(ctx, name, &made, files)
	if err != nil {
		return "", err
	}
	if removeFiles {
		files = nil
	}
	created, err := d.api.ContainerCreate(ctx, made.options(making, aliases...))
	if cerrdefs.IsConflict(err) {
		return d.nameTaken(ctx, making, made)
	}
	if err != nil {
		return "", notInvalid(err)
	}
	if making == name {
		return created.ID, nil
	}
	err = d.copyIn(ctx, created.ID, files)
	if err == nil {
		err = d.ownVolumes(ctx, created.ID, fresh)
	}
	if err == nil {
		err = d.join(ctx, created.ID, made)
	}
	if err == nil {
		_, err = d.api.ContainerRename(ctx, created.ID, client.ContainerRenameOptions{NewName: name})
	}
	if err != nil {
		_, removeErr := d.api.ContainerRemove(context.WithoutCancel(ctx), created.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		return "", errors.Join(err, ignoreGone(removeErr))
	}
	return created.ID, nil
}

// removeUnfinished removes what calls that were cut off left of an instance.
func (d *Driver) removeUnfinished(ctx context.Context, key node.Key) error {
	return d.removeLabelled(ctx, key, func(c container.Summary) bool { return rank(c) == halfMade })
}

// removeLabelled removes those containers with the labels of an instance.
func (d *Driver) removeLabelled(ctx context.Context, key node.Key, which func(container.Summary) bool) error {
	all, err := d.labelled(ctx, d.owned(key.Deployment).Add("label", labelInstance+"="+key.Name))
	if err != nil {
		return err
	}
	return d.removeThose(ctx, all, which)
}

func (d *Driver) removeThose(ctx context.Context, all []container.Summary, which func(container.Summary) bool) error {
	for _, c := range all {
		if !which(c) {
			continue
		}
		_, err := d.api.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		if ignoreGone(err) != nil && !cerrdefs.IsConflict(err) { // its removal is under way
			return d.failed("remove "+nameOf(c), err)
		}
	}
	return nil
}

// nameTaken tells a container that another call made from one of somebody else.
func (d *Driver) nameTaken(ctx context.Context, name string, made creation) (string, error) {
	found, err := d.api.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	if err != nil {
		return "", err
	}
	if d.is(found.Container.Config.Labels, keyOf(made.config.Labels)) {
		return found.Container.ID, nil
	}
	return "", foreign("container", name, found.Container.Config.Labels)
}

// discard removes what an interrupted call left under the name, if it is ours.
func (d *Driver) discard(ctx context.Context, name string, made creation) error {
	found, err := d.api.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	if cerrdefs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if !d.is(found.Container.Config.Labels, keyOf(made.config.Labels)) {
		return foreign("container", name, found.Container.Config.Labels)
	}
	_, err = d.api.ContainerRemove(ctx, found.Container.ID, client.ContainerRemoveOptions{Force: true})
	if cerrdefs.IsConflict(err) { // its removal is under way
		return nil
	}
	return ignoreGone(err)
}

// notInvalid keeps an image that is not there from looking like a lost instance.
func notInvalid(err error) error {
	if cerrdefs.IsNotFound(err) {
		return &engine.Error{Class: engine.ErrUnavailable, Reason: plain(err), Hint: "something removed it on the node meanwhile; apply again"}
	}
	return err
}

func ignoreGone(err error) error {
	if cerrdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// chosenFor are the host ports of a new instance, those of its siblings if they have any.
func (d *Driver) chosenFor(spec node.Spec, siblings []container.Summary) map[string]int {
	before := map[string]int{}
	for _, s := range siblings {
		made := declaredOf(s.Labels)
		for name, port := range made.Chosen {
			if p, same := spec.Component.Ports[name]; same && protocolOf(p) == protocolOf(made.Ports[name]) {
				before[name] = port
			}
		}
	}
	return choose(d.cfg.EngineID+"/"+spec.Key.Deployment, spec.Labels.Component, publishedPorts(spec.Component.Ports), before, map[int]bool{}, 0)
}

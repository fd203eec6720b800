package docker

import (
	"context"
	"slices"

	"github.com/moby/moby/api/types/container"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// roster is what this process knows of a deployment's containers: a list of all of
// them, and what it did itself since. One process at a time works on a deployment,
// and begins with such a list. What another did, or somebody by hand, it does not
// tell; so it is asked only for what a list that is a moment old may tell too.
type roster struct {
	known   bool
	all     []container.Summary
	changes int // by this process, so that no list is learned that one overtook
}

// everything lists all of the deployment's containers, and remembers them.
func (d *Driver) everything(ctx context.Context, deployment string) ([]container.Summary, error) {
	d.mu.Lock()
	before := d.rosterOf(deployment).changes
	d.mu.Unlock()
	list, err := d.labelled(ctx, d.owned(deployment))
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.rosterOf(deployment); r.changes == before {
		r.known, r.all = true, slices.Clone(list)
	}
	return list, nil
}

// recall answers the deployment's containers as far as they are known, else lists them.
func (d *Driver) recall(ctx context.Context, deployment string) ([]container.Summary, error) {
	d.mu.Lock()
	r := d.rosterOf(deployment)
	known, all := r.known, slices.Clone(r.all)
	d.mu.Unlock()
	if known {
		return all, nil
	}
	return d.everything(ctx, deployment)
}

// kin are the containers of an instance's component. Where one is known that is the
// instance itself, Docker is asked: it may be gone meanwhile.
func (d *Driver) kin(ctx context.Context, s node.Spec) ([]container.Summary, error) {
	all, err := d.recall(ctx, s.Key.Deployment)
	if err == nil && slices.ContainsFunc(all, func(c container.Summary) bool { return keyOf(c.Labels) == s.Key }) {
		all, err = d.everything(ctx, s.Key.Deployment)
	}
	return slices.DeleteFunc(all, func(c container.Summary) bool { return c.Labels[labelComponent] != s.Labels.Component }), err
}

// noteMade adds a container that this process made, in place of what the instance was before.
func (d *Driver) noteMade(id, name string, labels map[string]string) {
	key := keyOf(labels)
	d.change(key.Deployment, func(all []container.Summary) []container.Summary {
		return append(without(all, key), container.Summary{ID: id, Names: []string{"/" + name}, Labels: labels, State: container.StateCreated})
	})
}

// noteState keeps what this process brought an instance to.
func (d *Driver) noteState(key node.Key, state container.ContainerState) {
	d.change(key.Deployment, func(all []container.Summary) []container.Summary {
		for i := range all {
			if keyOf(all[i].Labels) == key {
				all[i].State = state
			}
		}
		return all
	})
}

// noteGone drops an instance that this process removed.
func (d *Driver) noteGone(key node.Key) {
	d.change(key.Deployment, func(all []container.Summary) []container.Summary { return without(all, key) })
}

func without(all []container.Summary, key node.Key) []container.Summary {
	return slices.DeleteFunc(all, func(c container.Summary) bool { return keyOf(c.Labels) == key })
}

// sure passes an error on; after one nobody knows what is there.
func (d *Driver) sure(deployment string, err error) error {
	if err != nil {
		d.unlearn(deployment)
	}
	return err
}

// unlearn makes the next who wants to know ask Docker.
func (d *Driver) unlearn(deployment string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.rosterOf(deployment)
	r.known, r.all = false, nil
	r.changes++
}

func (d *Driver) change(deployment string, how func([]container.Summary) []container.Summary) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.rosterOf(deployment)
	r.changes++
	if r.known {
		r.all = how(r.all)
	}
}

// rosterOf needs d.mu.
func (d *Driver) rosterOf(deployment string) *roster {
	if d.rosters[deployment] == nil {
		d.rosters[deployment] = &roster{}
	}
	return d.rosters[deployment]
}

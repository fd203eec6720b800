package docker

import (
	"cmp"
	"context"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// A container that is being made has one of these behind its name: unfinished
// while its files are copied in, staged once it is whole and about to take the
// place of the one that it is made from.
const (
	unfinished = ".unfinished-" // and something random
	staged     = ".staged"
)

// find inspects an instance's container: by its name, and where somebody changed
// that by its labels. A staged one is it once its predecessor is gone.
// ErrNotFound says that there is none.
func (d *Driver) find(ctx context.Context, key node.Key) (container.InspectResponse, error) {
	for _, name := range []string{containerName(key), containerName(key) + staged} {
		found, err := d.api.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
		if err == nil && d.is(found.Container.Config.Labels, key) && found.Container.Name == "/"+name && !goes(found.Container.State) {
			return found.Container, nil
		}
		if err != nil && !cerrdefs.IsNotFound(err) {
			return container.InspectResponse{}, d.failed("inspect "+key.Name, err)
		}
	}
	return d.findByLabel(ctx, key)
}

func (d *Driver) findByLabel(ctx context.Context, key node.Key) (container.InspectResponse, error) {
	all, err := d.containers(ctx, d.owned(key.Deployment).Add("label", labelInstance+"="+key.Name))
	if err != nil {
		return container.InspectResponse{}, err
	}
	for _, c := range all {
		found, err := d.api.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
		if err == nil && !goes(found.Container.State) {
			return found.Container, nil
		}
		if err != nil && !cerrdefs.IsNotFound(err) {
			return container.InspectResponse{}, d.failed("inspect "+key.Name, err)
		}
	}
	return container.InspectResponse{}, gone(key)
}

// goes reports whether the container is being removed: what it held may be gone.
func goes(s *container.State) bool {
	return s.Dead || s.Status == container.StateRemoving || s.Status == container.StateDead
}

func (d *Driver) is(labels map[string]string, key node.Key) bool {
	return d.belongs(labels, key.Deployment) && labels[labelInstance] == key.Name
}

// containers lists the instances that pass the filter, running or not, in one
// call: of an instance and what is staged for it the instance alone.
func (d *Driver) containers(ctx context.Context, filter client.Filters) ([]container.Summary, error) {
	list, err := d.labelled(ctx, filter)
	return wholeOf(list), err
}

// wholeOf leaves out what was never finished, and copies.
func wholeOf(list []container.Summary) []container.Summary {
	own, _ := instancesOf(list)
	return slices.DeleteFunc(own, func(c container.Summary) bool { return rank(c) == halfMade })
}

// labelled lists everything that says to be an instance.
func (d *Driver) labelled(ctx context.Context, filter client.Filters) ([]container.Summary, error) {
	list, err := d.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
	if err != nil {
		return nil, d.failed("list containers", err)
	}
	return slices.DeleteFunc(list.Items, func(c container.Summary) bool {
		return c.Labels[labelInstance] == "" || c.State == container.StateRemoving
	}), nil
}

// instancesOf tells the container that is each instance, and the names of copies
// that somebody made of it with all its labels.
func instancesOf(list []container.Summary) (own []container.Summary, copies map[node.Key][]string) {
	slices.SortStableFunc(list, func(a, b container.Summary) int {
		return cmp.Or(cmp.Compare(rank(b), rank(a)), cmp.Compare(a.Created, b.Created))
	})
	copies = map[node.Key][]string{}
	seen := map[node.Key]bool{}
	for _, c := range list {
		key := keyOf(c.Labels)
		switch {
		case !seen[key]:
			seen[key] = true
			own = append(own, c)
		case rank(c) == renamed:
			copies[key] = append(copies[key], nameOf(c))
		}
	}
	return own, copies
}

// How likely a container is the instance that its labels name, by its own name.
const (
	halfMade = iota
	successor
	renamed
	itself
)

func rank(c container.Summary) int {
	switch name := nameOf(c); {
	case strings.Contains(name, unfinished):
		return halfMade
	case strings.HasSuffix(name, staged):
		return successor
	case name != containerName(keyOf(c.Labels)):
		return renamed
	default:
		return itself
	}
}

func nameOf(c container.Summary) string {
	if len(c.Names) == 0 {
		return ""
	}
	return strings.TrimPrefix(c.Names[0], "/")
}

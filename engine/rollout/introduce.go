package rollout

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// introduce readies the instances that the ingress is about to lead to, so that
// leading there is all that is left. Their hosts get certificates first. They get
// their name in the deployment beside those that have it. On some nodes an instance
// is taken off its network for that: what it has open outlives it, but nobody is to
// wait for it meanwhile. So it has no visitors yet, and its health is proven once
// more while the ingress tries it.
func (r *run) introduce(ctx context.Context, lines ...line) error {
	if r.Proxy == nil {
		return nil
	}
	if err := r.certify(ctx, lines); err != nil {
		return err
	}
	named, err := r.giveNames(ctx, lines)
	if err != nil {
		return err
	}
	reached := make(chan error, 1)
	go func() { reached <- r.reachAll(ctx, lines) }()
	// What an instance says of itself tells more than that the ingress has no answer of it.
	return errors.Join(r.confirmAll(ctx, named), <-reached)
}

// giveNames gives those newcomers their name that have none; it answers which, and
// their components.
func (r *run) giveNames(ctx context.Context, lines []line) (map[node.Key]string, error) {
	both := map[string]line{}
	nameless := map[node.Key]string{}
	for _, l := range lines {
		now := r.table.line(l.route.Component)
		for _, name := range r.newcomers(l) {
			if !slices.Contains(now.route.Instances, name) {
				nameless[node.Key{Deployment: r.in.Deployment, Name: name}] = l.route.Component
				with := union(map[string]line{l.route.Component: now}, map[string]line{l.route.Component: l})[l.route.Component]
				both[l.route.Component] = line{route: with.route, way: now.way}
			}
		}
	}
	if len(nameless) == 0 {
		return nil, nil
	}
	r.touch()
	return nameless, r.step(ctx, Step{Name: "name"}, engine.PhaseSwitch, func() error { return r.table.set(ctx, slices.Collect(maps.Values(both))...) })
}

func (r *run) confirmAll(ctx context.Context, named map[node.Key]string) error {
	group, ctx := errgroup.WithContext(ctx)
	for key, component := range named {
		group.Go(func() error { return r.confirm(ctx, key, component) })
	}
	return group.Wait()
}

// newcomers are the instances of a line that the ingress does not lead to yet.
func (r *run) newcomers(l line) []string {
	if l.way == nil {
		return nil
	}
	var now []string
	if was := r.table.way(l.route.Component); was != nil {
		now = was.Instances
	}
	return slices.DeleteFunc(slices.Clone(l.way.Instances), func(i string) bool { return slices.Contains(now, i) })
}

func (r *run) reachAll(ctx context.Context, lines []line) error {
	for _, l := range lines {
		if err := r.reach(ctx, l.route.Component, r.newcomers(l)); err != nil {
			return err
		}
	}
	return nil
}

// reach proves new instances through the proxy, by each of their routes.
func (r *run) reach(ctx context.Context, component string, fresh []string) error {
	routes := r.in.Target.Components[component].Component.Routes
	if r.Proxy == nil {
		return nil
	}
	for _, instance := range fresh {
		for _, name := range slices.Sorted(maps.Keys(routes)) {
			err := r.step(ctx, Step{Name: "verify", Component: component, Detail: instance + " by route " + name}, engine.PhaseSwitch,
				func() error { return ofRoute(name, r.Proxy.Reach(ctx, instance, routes[name])) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// ofRoute says which route it is that failed.
func ofRoute(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("route %s: %w", name, err)
}

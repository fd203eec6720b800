package rollout

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// SettleInput describes a deployment as it was found, before anything new.
type SettleInput struct {
	Deployment string
	Serving    Target                       // the revision that serves
	Wanted     map[string]catalog.Effective // what shall run next
	Levels     [][]string                   // the wanted components in dependency order
	Observed   []node.Instance
	Kept       func(node.Instance) bool // runs on without traffic, nil = none does
	Unproven   func(node.Instance) bool // belongs to a revision that never succeeded
	Strategy   Strategy
	Due        []node.Snapshot // what volumes are to be set back to: an interrupted run may have changed them
	Back       Back
}

// Settle brings a deployment back to what its serving revision says, as far as
// that is quick: the traffic leads to the instances of that revision, what a
// killed run left beside them goes, and those that sleep and are wanted are
// started again: after a reboot, a killed supervisor, a run that was killed
// between stopping the old and starting the new. Everything that is left then
// is the planner's to judge. Where nothing is amiss nothing is done.
//
// It answers the instances that were started and did not become healthy: they
// must be replaced. It can itself be killed and run again.
func (r *Runner) Settle(ctx context.Context, in SettleInput) (unwell map[string]bool, err error) {
	if in.Observed, err = r.settleData(ctx, in); err != nil {
		return nil, err
	}
	servers := Servers(in.Serving.Components, in.Observed, in.Unproven)
	if err := r.settleRoutes(ctx, in, servers); err != nil {
		return nil, err
	}
	if err := r.settleWays(ctx, in, servers); err != nil {
		return nil, err
	}
	for _, i := range in.Observed {
		if slices.Contains(servers[i.Labels.Component], i.Key.Name) || in.Kept != nil && in.Kept(i) {
			continue
		}
		if err := r.putAway(ctx, i.Labels.Component, i.Key); err != nil {
			return nil, err
		}
	}
	unwell, err = r.wake(ctx, in, servers)
	if err != nil || unwell == nil {
		return unwell, err
	}
	return unwell, r.route(ctx, in.Deployment, RoutesTo(in.Serving.Components, servers))
}

// Servers picks, by component, the instances that stand for the serving
// revision: at most as many as it has replicas, those that run before those
// that sleep, unaltered before altered ones, then the newest.
func Servers(serving map[string]catalog.Effective, observed []node.Instance, unproven func(node.Instance) bool) map[string][]string {
	fit := map[string][]node.Instance{}
	for _, i := range observed {
		wanted, known := serving[i.Labels.Component]
		if known && (damaged(i) || !unproven(i) && i.Labels.ConfigHash == wanted.ConfigHash) {
			fit[i.Labels.Component] = append(fit[i.Labels.Component], i)
		}
	}
	servers := map[string][]string{}
	for component, all := range fit {
		slices.SortFunc(all, func(a, b node.Instance) int {
			return cmp.Or(
				cmp.Compare(rank(a), rank(b)), -cmp.Compare(a.Labels.Revision, b.Labels.Revision),
				cmp.Compare(a.Labels.Ordinal, b.Labels.Ordinal))
		})
		for _, i := range all[:min(len(all), serving[component].Replicas)] {
			servers[component] = append(servers[component], i.Key.Name)
		}
	}
	return servers
}

// damaged reports whether nobody can tell any more what the instance is.
func damaged(i node.Instance) bool { return len(i.Altered) > 0 && i.Labels.Revision == 0 }

func rank(i node.Instance) int {
	awake := i.State == node.Running || i.State == node.Restarting
	switch {
	case awake && len(i.Altered) == 0:
		return 0
	case awake:
		return 1
	case len(i.Altered) == 0:
		return 2
	default:
		return 3
	}
}

// settleRoutes leads the traffic to the servers where it does not.
func (r *Runner) settleRoutes(ctx context.Context, in SettleInput, servers map[string][]string) error {
	found, _, err := r.Driver.Routes(ctx, in.Deployment)
	if err != nil {
		return err
	}
	wanted := RoutesTo(in.Serving.Components, servers)
	closed := slices.ContainsFunc(in.Observed, func(i node.Instance) bool { return len(i.Unpublished) > 0 })
	if !closed && len(Misrouted(found, wanted)) == 0 {
		return nil
	}
	return r.route(ctx, in.Deployment, wanted)
}

// RoutesTo is the traffic table that leads to the instances of a revision (see
// Servers).
func RoutesTo(components map[string]catalog.Effective, instances map[string][]string) []node.Route {
	var routes []node.Route
	for _, name := range slices.Sorted(maps.Keys(components)) {
		routes = append(routes, node.Route{
			Component: name, Ports: publishedPorts(components[name].Component), Instances: instances[name],
		})
	}
	return routes
}

// Misrouted names the components whose line of the table is not what it should
// be; the order of instances means nothing.
func Misrouted(found, wanted []node.Route) []string {
	lines := map[string]node.Route{}
	for _, r := range found {
		lines[r.Component] = r
	}
	var names []string
	for _, w := range wanted {
		f := lines[w.Component]
		f.Instances, w.Instances = slices.Sorted(slices.Values(f.Instances)), slices.Sorted(slices.Values(w.Instances))
		nobody := len(f.Instances) == 0 && len(w.Instances) == 0
		if !nobody && !sameRoute(f, w) {
			names = append(names, w.Component)
		}
		delete(lines, w.Component)
	}
	for _, left := range slices.Sorted(maps.Keys(lines)) {
		if len(lines[left].Instances) > 0 {
			names = append(names, left)
		}
	}
	return names
}

func (r *Runner) route(ctx context.Context, deployment string, routes []node.Route) error {
	return r.journal(ctx, Step{Name: "route", Detail: "back"}, func() error {
		_, err := r.Driver.Route(ctx, deployment, routes)
		return err
	})
}

// wake starts again the servers that sleep and are wanted as they are, level by
// level. nil means that none did.
func (r *Runner) wake(ctx context.Context, in SettleInput, servers map[string][]string) (map[string]bool, error) {
	var asleep []node.Instance
	for _, i := range in.Observed {
		wanted, ok := in.Wanted[i.Labels.Component]
		if ok && wanted.Replicas > 0 && slices.Contains(servers[i.Labels.Component], i.Key.Name) && revivable(i, wanted) {
			asleep = append(asleep, i)
		}
	}
	if len(asleep) == 0 {
		return nil, nil
	}
	unwell := map[string]bool{}
	for _, level := range in.Levels {
		ill := make([]bool, len(asleep))
		group, gctx := errgroup.WithContext(ctx)
		for n, i := range asleep {
			if slices.Contains(level, i.Labels.Component) {
				group.Go(func() (err error) {
					ill[n], err = r.wakeOne(gctx, in, i)
					return err
				})
			}
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
		for n, i := range asleep {
			unwell[i.Key.Name] = unwell[i.Key.Name] || ill[n]
		}
	}
	return unwell, nil
}

func (r *Runner) wakeOne(ctx context.Context, in SettleInput, i node.Instance) (ill bool, err error) {
	err = r.journal(ctx, Step{Name: "start", Component: i.Labels.Component, Detail: i.Key.Name},
		func() error { return r.bringBack(ctx, i.Key, i.Labels.Component, in.Serving, in.Strategy) })
	if err != nil && ctx.Err() == nil {
		r.Log.WarnContext(ctx, "start instance again", "instance", i.Key.Name, "error", err.Error())
	}
	return err != nil, ctx.Err()
}

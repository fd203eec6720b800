package rollout

import (
	"context"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/plan"
)

// component brings one component to its place. It raises ready when those that
// depend on it may go on: as soon as it is healthy where nothing is replaced,
// once it has the traffic where something is.
func (r *run) component(ctx context.Context, step plan.Step, ready *signal) error {
	if step.Action == plan.Remove {
		ready.raise()
		return nil // it goes after the commit
	}
	if r.in.Strategy.atOnce() && (step.StartFirst || step.Create == 0) {
		return r.beside(ctx, step, ready)
	}
	if step.Create == 0 {
		if err := r.switchTo(ctx, step, nil); err != nil {
			return err
		}
		ready.raise()
		return nil
	}
	if !step.StartFirst {
		if err := r.stopOld(ctx, step); err != nil {
			return err
		}
	}
	var fresh []string
	for _, batch := range batches(step.Create, r.batchSize(step)) {
		made, err := r.batch(ctx, step, batch, fresh, ready)
		if err != nil {
			return err
		}
		fresh = append(fresh, made...)
		if err := r.switchTo(ctx, step, fresh); err != nil {
			return err
		}
	}
	ready.raise()
	return nil
}

// batchSize is how many new instances come up at once: all of them when they
// take nobody's place.
func (r *run) batchSize(step plan.Step) int {
	if len(step.Retire) == 0 || !step.StartFirst {
		return step.Create
	}
	return max(1, r.in.Strategy.MaxParallel)
}

// batches cuts the ordinals 1..n into runs of at most size.
func batches(n, size int) [][]int {
	var all [][]int
	for first := 1; first <= n; first += size {
		var batch []int
		for o := first; o < first+size && o <= n; o++ {
			batch = append(batch, o)
		}
		all = append(all, batch)
	}
	return all
}

// batch starts new instances at the same time and proves each of them.
func (r *run) batch(ctx context.Context, step plan.Step, ordinals []int, before []string, ready *signal) ([]string, error) {
	group, gctx := errgroup.WithContext(ctx)
	names := make([]string, len(ordinals))
	var healthy atomic.Int32
	for i, ordinal := range ordinals {
		spec := r.spec(step.Component, ordinal)
		names[i] = spec.Key.Name
		group.Go(func() error {
			if err := r.start(gctx, spec); err != nil {
				return err
			}
			return r.prove(gctx, spec.Key, step.Component, func() {
				first := len(step.Retire) == 0 && len(before) == 0
				if int(healthy.Add(1)) == len(ordinals) && first {
					r.early(gctx, step, names, ready)
				}
			})
		})
	}
	return names, group.Wait()
}

// early gives a component that replaces nothing its name and its dependents
// their start as soon as it is healthy; it still has to stay so.
func (r *run) early(ctx context.Context, step plan.Step, names []string, ready *signal) {
	if r.name(ctx, step, names) == nil {
		ready.raise()
	}
}

// start makes and starts one new instance.
func (r *run) start(ctx context.Context, spec node.Spec) error {
	component := spec.Labels.Component
	r.remember(&r.created, made{key: spec.Key, component: component})
	err := r.step(ctx, Step{Name: "create", Component: component, Detail: spec.Key.Name}, engine.PhaseStart,
		func() error { return r.Driver.Create(ctx, spec) })
	if err != nil {
		return err
	}
	return r.step(ctx, Step{Name: "start", Component: component, Detail: spec.Key.Name}, engine.PhaseStart,
		func() error { return r.Driver.Start(ctx, spec.Key, r.in.Target.Secrets[component]) })
}

// stopOld makes room where two cannot live side by side. The old instances
// stay and are started again if the new ones fail.
func (r *run) stopOld(ctx context.Context, step plan.Step) error {
	if err := r.switchTo(ctx, step, nil); err != nil {
		return err
	}
	return r.stop(ctx, step.Component, step.Retire)
}

// stop stops old instances, which stay.
func (r *run) stop(ctx context.Context, component string, names []string) error {
	for _, name := range names {
		m := made{key: node.Key{Deployment: r.in.Deployment, Name: name}, component: component}
		r.remember(&r.stopped, m)
		err := r.step(ctx, Step{Name: "stop", Component: component, Detail: name}, engine.PhaseStart,
			func() error { return r.Driver.Stop(ctx, m.key) })
		if err != nil {
			return err
		}
	}
	return nil
}

// switchTo moves the traffic of a component to its kept and fresh instances;
// each fresh one takes the place of one old. Through the ingress every fresh one
// is introduced before, and one visit proves it after.
func (r *run) switchTo(ctx context.Context, step plan.Step, fresh []string) error {
	l := r.lineTo(step, fresh)
	l.way = r.in.Target.way(step.Component, l.route.Instances)
	if r.table.is(l) {
		return nil
	}
	if err := r.introduce(ctx, l); err != nil {
		return err
	}
	if err := r.lead(ctx, step.Component, l); err != nil {
		return err
	}
	return r.visit(ctx, l.way)
}

// name moves only what the node itself leads to a component: its name, and its
// published ports.
func (r *run) name(ctx context.Context, step plan.Step, fresh []string) error {
	l := r.lineTo(step, fresh)
	if l.way = r.table.way(step.Component); r.table.is(l) {
		return nil
	}
	return r.lead(ctx, step.Component, l)
}

func (r *run) lead(ctx context.Context, component string, lines ...line) error {
	r.touch()
	return r.step(ctx, Step{Name: "route", Component: component}, engine.PhaseSwitch,
		func() error { return r.table.set(ctx, lines...) })
}

// lineTo leads to the kept and the fresh instances, and to as many of the old as
// are not replaced yet.
func (r *run) lineTo(step plan.Step, fresh []string) line {
	serving := append([]string{}, step.Keep...)
	serving = append(serving, fresh...)
	if step.StartFirst && len(fresh) < step.Create && len(fresh) < len(step.Retire) {
		serving = append(serving, step.Retire[len(fresh):]...)
	}
	return line{route: node.Route{Component: step.Component, Ports: r.published(step.Component), Instances: serving}}
}

// discard stops an instance with its grace period and removes it.
func (r *run) discard(ctx context.Context, component string, key node.Key) error {
	return r.step(ctx, Step{Name: "remove", Component: component, Detail: key.Name}, engine.PhaseCommit, func() error {
		if err := r.Driver.Stop(ctx, key); err != nil {
			return err
		}
		return r.Driver.Remove(ctx, key)
	})
}

// published are the ports of a component that the node offers outside.
func (r *run) published(component string) map[string]engine.Port {
	return publishedPorts(r.in.Target.Components[component].Component)
}

func publishedPorts(c engine.Component) map[string]engine.Port {
	ports := map[string]engine.Port{}
	for name, p := range c.Ports {
		if p.Published() {
			ports[name] = p
		}
	}
	return ports
}

func (r *run) remember(list *[]made, m made) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.touched = true
	if !slices.Contains(*list, m) {
		*list = append(*list, m)
	}
}

// touch notes that the node is no longer as it was found.
func (r *run) touch() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.touched = true
}

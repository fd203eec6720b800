package rollout

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/plan"
)

// run is the state of one rollout.
type run struct {
	*Runner
	in     Input
	table  *table
	events *events
	checks map[string]map[string]engine.HealthCheck

	mu      sync.Mutex
	touched bool            // anything on the node was changed
	created []made          //  new instances, in the order they were made
	stopped []made          //  old instances that sleep: found so, or stopped to make room, in that order
	taken   []node.Snapshot // of the volumes, before anything new started
	pending []pending       // what waits for the one switch of a strategy that moves all at once
	exposed bool            // from now on something new may change the data

	setBackDone bool // the data is as it was before
}

// made is an instance and what it is one of.
type made struct {
	key       node.Key
	component string
}

func newRun(r *Runner, in Input) *run {
	return &run{
		Runner: r, in: in, table: newTable(r.Driver, r.Proxy, in.Deployment), events: newEvents(r.Driver, in.Deployment), stopped: asleep(in),
	}
}

// asleep are the instances of the prior revision that an earlier run stopped to
// make room, and did not live to start again. Those that shall stay were started
// before; these are to be replaced, and must come back where that fails.
func asleep(in Input) (all []made) {
	if in.Prior == nil {
		return nil
	}
	for _, i := range in.Observed {
		if serving, known := in.Prior.Components[i.Labels.Component]; known && revivable(i, serving) {
			all = append(all, made{key: i.Key, component: i.Labels.Component})
		}
	}
	return all
}

func (r *run) close() { r.events.close() }

// pull brings every new image to the node, before anything old is touched.
func (r *run) pull(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	asked := map[string]bool{}
	for _, step := range r.in.Plan.Steps {
		image := r.in.Target.Images[step.Component]
		if step.Create == 0 || asked[image.Reference] {
			continue
		}
		asked[image.Reference] = true
		group.Go(func() error {
			return r.step(ctx, Step{Name: "pull", Component: step.Component, Detail: image.Reference}, engine.PhasePull,
				func() error { return r.Driver.Pull(ctx, image) })
		})
	}
	return group.Wait()
}

// preflight asks the node whether it could run what is new.
func (r *run) preflight(ctx context.Context) error {
	var specs []node.Spec
	for _, step := range r.in.Plan.Steps {
		for i := range step.Create {
			specs = append(specs, r.spec(step.Component, i+1))
		}
	}
	if len(specs) == 0 {
		return nil
	}
	if err := r.Driver.Preflight(ctx, r.in.Deployment, specs); err != nil {
		return &phaseError{phase: engine.PhasePreflight, component: componentOf(err), err: err}
	}
	return nil
}

// learn reads what the rollout must know of the node before it changes it:
// the checks that images bring, and the traffic table.
func (r *run) learn(ctx context.Context) error {
	r.checks = map[string]map[string]engine.HealthCheck{}
	for name, effective := range r.in.Target.Components {
		brought, err := r.imageCheck(ctx, effective, r.in.Target.Images[name])
		if err != nil {
			return &phaseError{phase: engine.PhasePreflight, component: name, err: err}
		}
		r.checks[name] = catalog.HealthChecks(name, effective.Component, brought)
	}
	if err := r.table.load(ctx); err != nil {
		return &phaseError{phase: engine.PhasePreflight, err: err}
	}
	return nil
}

// spec describes the new instance with that ordinal of a component.
func (r *run) spec(component string, ordinal int) node.Spec {
	effective := r.in.Target.Components[component]
	labels := r.in.Target.Labels
	labels.Component, labels.Ordinal, labels.ConfigHash = component, ordinal, effective.ConfigHash
	return node.Spec{
		Key:       node.Key{Deployment: r.in.Deployment, Name: instanceName(component, labels.Revision, ordinal)},
		Labels:    labels,
		Image:     effective.Image,
		Component: effective.Component,
		Env:       effective.Env,
		Guest:     r.in.Target.Guest,
	}
}

// instanceName is unique in a deployment for ever: revisions are never reused.
func instanceName(component string, revision, ordinal int) string {
	return fmt.Sprintf("%s-%d-%d", component, revision, ordinal)
}

// roll brings every component to its place: each as soon as those it depends
// on are ready, independent ones at the same time.
func (r *run) roll(whole context.Context) error {
	if err := r.events.open(whole); err != nil {
		return &phaseError{phase: engine.PhasePreflight, err: err}
	}
	group, ctx := errgroup.WithContext(whole)
	ready := map[string]*signal{}
	for _, step := range r.in.Plan.Steps {
		ready[step.Component] = newSignal()
	}
	for _, step := range r.in.Plan.Steps {
		group.Go(func() error {
			if err := awaitAll(ctx, step, ready); err != nil {
				return err
			}
			return r.component(ctx, step, ready[step.Component])
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return r.switchAll(whole)
}

func awaitAll(ctx context.Context, step plan.Step, ready map[string]*signal) error {
	for _, name := range step.DependsOn {
		dependency, planned := ready[name]
		if !planned {
			continue
		}
		select {
		case <-dependency.ch:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// signal is raised once.
type signal struct {
	once sync.Once
	ch   chan struct{}
}

func newSignal() *signal { return &signal{ch: make(chan struct{})} }

func (s *signal) raise() { s.once.Do(func() { close(s.ch) }) }

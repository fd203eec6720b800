package rollout

import (
	"context"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/plan"
)

// Strategy is engine.Strategy with its durations read.
type Strategy struct {
	Type             string // of engine.Strategy, "" = rolling
	MaxParallel      int
	MinHealthyTime   time.Duration
	ProgressDeadline time.Duration // for one instance to become healthy
	DrainTimeout     time.Duration
	AutoRollback     bool
	KeepOldFor       time.Duration // that what served before runs on, without traffic
	Canary           Canary        // canary only
}

// Canary is engine.Canary with its durations read and its defaults filled in.
type Canary struct {
	Steps        []CanaryStep
	MaxErrorRate float64
	MaxLatency   time.Duration // 0 = any
	MinRequests  int
}

// CanaryStep is a share of the requests in percent, and for how long.
type CanaryStep struct {
	Weight int
	Pause  time.Duration
}

// atOnce reports whether the traffic of all components moves together, once all
// that is new is proven.
func (s Strategy) atOnce() bool {
	return s.Type == engine.StrategyBlueGreen || s.Type == engine.StrategyCanary
}

// pending is a component whose traffic waits for the one switch.
type pending struct {
	step  plan.Step
	fresh []string
	line  line
}

// beside brings up all that is new of a component beside what serves.
func (r *run) beside(ctx context.Context, step plan.Step, ready *signal) error {
	var fresh []string
	if step.Create > 0 {
		var err error
		if fresh, err = r.batch(ctx, step, batches(step.Create, step.Create)[0], nil, ready); err != nil {
			return err
		}
	}
	l := r.lineTo(step, fresh)
	l.way = r.in.Target.way(step.Component, l.route.Instances)
	r.mu.Lock()
	r.pending = append(r.pending, pending{step: step, fresh: fresh, line: l})
	r.mu.Unlock()
	ready.raise()
	return nil
}

// switchAll moves all traffic that waited, in one go.
func (r *run) switchAll(ctx context.Context) error {
	var lines []line
	for _, p := range r.pending {
		if !r.table.is(p.line) {
			lines = append(lines, p.line)
		}
	}
	if len(lines) == 0 {
		return nil
	}
	if err := r.canary(ctx); err != nil {
		return err
	}
	if err := r.introduce(ctx, lines...); err != nil {
		return err
	}
	if err := r.lead(ctx, "", lines...); err != nil {
		return err
	}
	for _, l := range lines {
		if err := r.visit(ctx, l.way); err != nil {
			return err
		}
	}
	return nil
}

// kept are the instances that served before and run on for a while, for an
// instant return.
func (r *run) kept() []string {
	if r.in.Strategy.Type != engine.StrategyBlueGreen || r.in.Strategy.KeepOldFor <= 0 {
		return nil
	}
	var all []string
	for _, step := range r.in.Plan.Steps {
		for _, name := range step.Retire {
			beside := step.StartFirst || step.Create == 0
			if beside && step.Action == plan.Replace && r.table.served(step.Component, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

package rollout

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// measureEvery is how often the proxy is asked what the canary answered.
const measureEvery = time.Second

// unsteady is for how long at least an instance may lose its health in a step
// until that is a verdict.
const unsteady = 10 * time.Second

// canary gives the new instances step by step more of the requests of the
// routes, and ends at the first step in which they do worse than is allowed.
// Those that passed have no visitors for a moment: see introduce.
func (r *run) canary(ctx context.Context) error {
	split := r.splits()
	if r.in.Strategy.Type != engine.StrategyCanary || len(split) == 0 {
		return nil
	}
	for _, s := range split {
		if err := r.reach(ctx, s.component, s.after.fresh); err != nil {
			return err
		}
	}
	for _, step := range r.in.Strategy.Canary.Steps {
		var lines []line
		for _, s := range split {
			l := s.before
			l.way = s.way(step.Weight)
			lines = append(lines, l)
		}
		if err := r.lead(ctx, "", lines...); err != nil {
			return err
		}
		err := r.step(ctx, Step{Name: "analyse", Detail: fmt.Sprintf("%d%% for %s", step.Weight, step.Pause)}, engine.PhaseCheck,
			func() error { return r.analyse(ctx, split, step) })
		if err != nil {
			return err
		}
	}
	return r.recall(ctx, split)
}

// recall leads all visitors to what served before, and lets those finish whom the
// new instances still answer.
func (r *run) recall(ctx context.Context, split []split) error {
	var lines []line
	var fresh []made
	for _, s := range split {
		lines = append(lines, s.before)
		for _, name := range s.after.fresh {
			fresh = append(fresh, made{key: node.Key{Deployment: r.in.Deployment, Name: name}, component: s.component})
		}
	}
	if err := r.lead(ctx, "", lines...); err != nil {
		return err
	}
	return together(fresh, func(m made) error { r.drain(ctx, m.key); return ctx.Err() })
}

// split is a component whose requests are divided for a while.
type split struct {
	component string
	before    line
	after     pending
}

// splits are the components that have routes of HTTP before and after, and new
// instances. All others move with the last step.
func (r *run) splits() []split {
	var all []split
	for _, p := range r.pending {
		was := r.table.line(p.step.Component)
		if len(p.fresh) > 0 && p.line.way != nil && was.way != nil && len(was.way.Instances) > 0 && divisible(*was.way, *p.line.way) {
			all = append(all, split{component: p.step.Component, before: was, after: p})
		}
	}
	return all
}

// divisible reports whether any route can lead a share of its requests elsewhere.
func divisible(was, then Way) bool {
	for name, route := range was.Routes {
		if _, stays := then.Routes[name]; stays && route.Protocol != engine.RouteTCP {
			return true
		}
	}
	return false
}

// way gives the new instances their share of the routes that there were before;
// routes that are new come with the switch.
func (s split) way(share int) *Way {
	w := *s.before.way
	w.Canary, w.Share = s.after.fresh, share
	w.Instances = append(slices.Clone(w.Instances), s.after.fresh...)
	w.CanaryPorts = map[string]int{}
	for name := range w.Routes {
		if then, stays := s.after.line.way.Routes[name]; stays {
			w.CanaryPorts[name] = then.Port
		}
	}
	return &w
}

// analyse watches the new instances while they have their share.
func (r *run) analyse(ctx context.Context, split []split, step CanaryStep) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, gctx := errgroup.WithContext(ctx)
	for _, s := range split {
		for _, name := range s.after.fresh {
			group.Go(func() error {
				return r.staysHealthy(gctx, node.Key{Deployment: r.in.Deployment, Name: name}, s.component, step.Pause)
			})
		}
		group.Go(func() error { return r.doesWell(gctx, s, step) })
	}
	return group.Wait()
}

// staysHealthy checks an instance for as long as the step takes.
func (r *run) staysHealthy(ctx context.Context, key node.Key, component string, pause time.Duration) error {
	gate := health.Gate{Clock: r.Clock, MinHealthy: pause}
	deadline, cancel := health.WithTimeout(ctx, r.Clock, pause+max(pause, unsteady))
	defer cancel()
	if err := gate.Wait(deadline, r.gateInput(key, component, nil)); err != nil {
		return &instanceError{key: key, err: err}
	}
	return nil
}

// doesWell compares what the proxy measured in the step with what is allowed.
func (r *run) doesWell(ctx context.Context, s split, step CanaryStep) error {
	last, err := r.Proxy.Measure(ctx, s.component)
	if err != nil {
		return err
	}
	var seen Sample
	end := r.Clock.Now().Add(step.Pause)
	for {
		left := end.Sub(r.Clock.Now())
		if err := r.pause(ctx, min(measureEvery, max(left, 0))); err != nil {
			return err
		}
		now, err := r.Proxy.Measure(ctx, s.component)
		if err != nil {
			return err
		}
		seen, last = seen.Plus(now.Since(last)), now
		if why := r.in.Strategy.Canary.verdict(seen); why != "" {
			return &canaryError{component: s.component, step: step, why: why}
		}
		if left <= measureEvery {
			r.Log.InfoContext(ctx, "canary step passed", "component", s.component, "weight", step.Weight, "requests", seen.Requests, "errors", seen.Errors)
			return nil
		}
	}
}

func (r *run) pause(ctx context.Context, d time.Duration) error {
	timer := r.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// canaryError tells in which step the new instances did worse than is allowed.
type canaryError struct {
	component string
	step      CanaryStep
	why       string
}

func (e *canaryError) Error() string {
	return fmt.Sprintf("with %d%% of the requests the new instances of %s did not do well: %s", e.step.Weight, e.component, e.why)
}

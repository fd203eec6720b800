// Package rollout runs a plan on a node: it pulls, starts, proves, moves the
// traffic and commits, or puts back what served before (design 4.3).
//
// Old instances stay, running where two can live side by side and stopped
// where not, until the new revision is committed; so putting back is quick and
// needs neither registry nor image.
package rollout

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/plan"
)

// Target is a revision as it shall run: everything a driver must be told.
type Target struct {
	Version    string      // for sentences: the version's name
	Labels     node.Labels // of the deployment and revision; the rest is filled per instance
	Components map[string]catalog.Effective
	Images     map[string]node.Image   // by component, pinned, with credentials
	Secrets    map[string]node.Secrets // by component

	RouteSecrets map[string]map[string]string // by component, those that its routes name
	Guest        bool                         // its instances are let in to other deployments: it is a node's ingress
	Sealed       error                        // why the secrets could not be opened; then no component that takes one can be started
}

// Input is one rollout.
type Input struct {
	Deployment  string
	OperationID string
	Plan        plan.Plan
	Target      Target
	Prior       *Target // the serving revision, nil before the first
	Observed    []node.Instance
	Strategy    Strategy

	Data Data

	// VolumesBefore are those that were there before the first deployment: when
	// it fails they stay.
	VolumesBefore []string

	// Commit makes the new revision the serving one in the store. It is called
	// once, after every component proved healthy and traffic has moved.
	Commit func(ctx context.Context) error
}

// Journal writes down every step before it runs.
type Journal interface {
	// Begin records the step and answers how to record its end. An error means
	// that nothing may be done.
	Begin(ctx context.Context, step Step) (end func(err error), err error)
}

// Step is one thing that changes a node.
type Step struct {
	Name      string // pull, create, start, prove, certify, name, confirm, verify, route, visit, analyse, stop, remove, pre-snapshot, snapshot, restore, commit
	Component string
	Detail    string // instance or image
}

// Runner runs rollouts on one node.
type Runner struct {
	Driver  node.Driver
	Proxy   Proxy // nil = the node has no ingress
	Clock   health.Clock
	Journal Journal
	Log     *slog.Logger
}

// restoreTimeout bounds how long an instance that is put back may take to
// answer, once a rollout failed or was cancelled: Terraform waits for the
// provider, the user for Terraform.
const restoreTimeout = 2 * time.Minute

// Run brings the deployment from what is observed to the target. On any
// failure before the commit it puts back the prior revision and answers an
// *engine.RolloutError; what fails after the commit is only logged, since the
// next run finishes it.
func (r *Runner) Run(ctx context.Context, in Input) error {
	run := newRun(r, in)
	defer run.close()

	err := run.forward(ctx)
	if err == nil {
		run.cleanUp(ctx)
		return nil
	}
	failure := run.explain(ctx, err)
	failure.Restored, failure.Leftover = run.putBack(ctx)
	return failure
}

// forward does everything up to and including the commit.
func (r *run) forward(ctx context.Context) error {
	if err := r.pull(ctx); err != nil {
		return err
	}
	if err := r.preflight(ctx); err != nil {
		return err
	}
	if err := r.checkSnapshots(ctx); err != nil {
		return err
	}
	if err := r.learn(ctx); err != nil {
		return err
	}
	if err := r.prepareData(ctx); err != nil {
		return err
	}
	if err := r.roll(ctx); err != nil {
		return err
	}
	return r.step(ctx, Step{Name: "commit"}, engine.PhaseCommit, func() error { return r.in.Commit(ctx) })
}

// cleanUp removes what the committed revision replaced: all of it drains at the
// same time, then it is stopped and removed, dependents first. What is kept for a
// return drains too. Cancelling ends the draining, not the rest.
func (r *run) cleanUp(cancellable context.Context) {
	ctx := context.WithoutCancel(cancellable)
	if err := r.table.settle(ctx, r.in.Target.Components); err != nil {
		r.Log.WarnContext(ctx, "route after commit", "deployment", r.in.Deployment, "error", err.Error())
	}
	kept := r.kept()
	var left, retired []made
	for _, step := range slices.Backward(r.in.Plan.Steps) {
		for _, name := range step.Retire {
			m := made{key: node.Key{Deployment: r.in.Deployment, Name: name}, component: step.Component}
			if left = append(left, m); !slices.Contains(kept, name) {
				retired = append(retired, m)
			}
		}
	}
	_ = together(left, func(m made) error { r.drain(cancellable, m.key); return nil })
	if r.Proxy != nil && len(left) > 0 {
		// Now that nobody is sent there any more they can lose their names everywhere.
		if err := r.table.again(ctx); err != nil {
			r.Log.WarnContext(ctx, "route after draining", "deployment", r.in.Deployment, "error", err.Error())
		}
	}
	for _, m := range retired {
		if err := r.discard(ctx, m.component, m.key); err != nil {
			r.Log.WarnContext(ctx, "remove replaced instance", "instance", m.key.Name, "error", err.Error())
		}
	}
}

func (r *run) drain(ctx context.Context, key node.Key) {
	ctx, cancel := health.WithTimeout(ctx, r.Clock, r.in.Strategy.DrainTimeout)
	defer cancel()
	if err := r.drainInstance(ctx, key); err != nil {
		r.Log.WarnContext(ctx, "drain instance", "instance", key.Name, "error", err.Error())
	}
}

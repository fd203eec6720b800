package core

import (
	"context"
	"encoding/json"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/steady"
	"github.com/slipwayhq/terraform-provider-slipway/engine/plan"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// attempt is one operation that brings a deployment to what is wanted.
type attempt struct {
	*Engine
	op       *operation
	rec      store.DeploymentRecord  // what is wanted, with what is stored
	world    world                   // what it refers to
	secrets  map[string]store.Secret // new ones, nil keeps the stored
	cause    string                  // create, update
	driver   *steady.Driver          // waits for its node as long as an instance may take to become healthy
	info     node.Info
	runner   *rollout.Runner
	strategy rollout.Strategy
	prior    *serving
	priorT   *rollout.Target
	kept     func(node.Instance) bool // runs on without traffic, nil = none does
}

// bring runs one operation: it takes back what an interrupted one left, looks
// at the node, plans, and rolls out. The deployment must be held.
func (e *Engine) bring(ctx context.Context, rec store.DeploymentRecord, w world, secrets map[string]store.Secret, cause string) (err error) {
	defer e.forgetNode(w.node.ID)
	op, err := e.begin(ctx, rec.ID, cause)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			op.forgetFailed(context.WithoutCancel(ctx), rec.ID, err)
		}
		op.end(ctx, err)
		e.pruneHistory(context.WithoutCancel(ctx), rec)
	}()
	a := &attempt{Engine: e, op: op, rec: rec, world: w, secrets: secrets, cause: cause}
	if err := a.prepare(ctx); err != nil {
		return err
	}
	return a.rollOut(ctx)
}

func (a *attempt) prepare(ctx context.Context) (err error) {
	if a.strategy, err = strategyOf(a.rec.Strategy); err != nil {
		return err
	}
	if a.prior, err = a.servingOf(ctx, a.rec.ID); err != nil {
		return err
	}
	d, err := a.Engine.driver(ctx, a.world.node)
	if err == nil {
		a.info, err = d.Info(ctx) // a node that is away before anything began is told at once
	}
	if err == nil {
		err = a.store.SetPlace(ctx, a.world.node.ID, a.info.Place) // before anything is brought there
	}
	if err != nil {
		return a.failed(err)
	}
	a.driver = d.Patient(a.strategy.ProgressDeadline)
	if a.world.node.Ingress != nil && (hasRoutes(a.prior.components()) || len(catalog.Claims(a.world.version.Components)) > 0) {
		if err := a.readyIngress(ctx, a.world.node); err != nil {
			return a.failed(err)
		}
	}
	a.runner = &rollout.Runner{Driver: a.driver, Proxy: a.waysOf(a.world.node, a.driver, a.rec.Deployment), Clock: a.clock, Journal: a.op.journal, Log: a.log}
	a.priorT, err = a.priorTarget(ctx, a.rec, a.prior)
	return err
}

// failed wraps what went wrong outside of the rollout itself.
func (a *attempt) failed(err error) error {
	restored := "nothing was changed"
	if a.prior != nil {
		restored = "version " + a.prior.revision.VersionName + " is the last that succeeded; nothing was changed"
	}
	return &engine.RolloutError{
		DeploymentID: a.rec.ID, Phase: engine.PhasePreflight, Message: reasonAndHint(err),
		Restored: restored, OperationID: a.op.id, Err: err,
	}
}

// notSettled is failed for a deployment that could not be brought back to what
// serves: what an earlier run left may still be there.
func (a *attempt) notSettled(err error) error {
	e := &engine.RolloutError{
		DeploymentID: a.rec.ID, Phase: engine.PhaseRecover, Message: reasonAndHint(err), Leftover: true,
		Restored: "unknown: what an earlier run left could not be taken back completely; apply again to finish it", OperationID: a.op.id, Err: err,
	}
	if a.prior != nil {
		e.Restored = "version " + a.prior.revision.VersionName + " is the last that succeeded; the deployment could not be brought back to it completely; apply again to finish it"
	}
	return e
}

// observe lists the deployment's instances as they are now.
func (a *attempt) observe(ctx context.Context) ([]node.Instance, error) {
	seen, err := a.driver.Observe(ctx, a.rec.ID)
	return seen.Instances, err
}

// settle closes the revision that a killed process left open, and brings the
// deployment back to what serves, as far as that is quick; see rollout.Settle.
func (a *attempt) settle(ctx context.Context, wanted desire) (unwell map[string]bool, err error) {
	open, err := a.closeInterrupted(ctx)
	if err != nil {
		return nil, err
	}
	observed, err := a.observe(ctx)
	if err != nil {
		return nil, err
	}
	if a.priorT == nil {
		if open == nil && len(observed) == 0 {
			return nil, nil
		}
		return nil, a.runner.RemoveFirst(ctx, a.rec.ID, a.volumesBefore(ctx, open))
	}
	unproven, err := a.Engine.unproven(ctx, a.rec.ID)
	if err != nil {
		return nil, err
	}
	a.kept = a.keptOf(a.rec.Deployment, a.prior, unproven)
	due, back, err := a.due(ctx)
	if err != nil {
		return nil, err
	}
	return a.runner.Settle(ctx, rollout.SettleInput{
		Due: due, Back: back, Deployment: a.rec.ID, Serving: *a.priorT, Wanted: wanted.components, Levels: levelsOf(wanted.components),
		Observed: observed, Unproven: unproven, Kept: a.kept, Strategy: a.strategy,
	})
}

func (a *attempt) closeInterrupted(ctx context.Context) (*store.Revision, error) {
	open, err := orNil(a.store.InProgressRevision(ctx, a.rec.ID))
	if err != nil || open == nil {
		return nil, err
	}
	return open, a.store.FinishRevision(ctx, a.rec.ID, open.Number, engine.RevisionFailed, "interrupted: the process that ran it ended")
}

// volumesBefore are those that an interrupted first deployment found. Without
// its record all of them count: better an empty volume is left than data lost.
func (a *attempt) volumesBefore(ctx context.Context, interrupted *store.Revision) []string {
	if interrupted != nil {
		var config revisionConfig
		if json.Unmarshal(interrupted.Config, &config) == nil && config.VolumesBefore != nil {
			return config.VolumesBefore
		}
	}
	all, err := a.driver.Volumes(ctx, a.rec.ID)
	if err != nil {
		a.log.WarnContext(ctx, "list volumes", "deployment", a.rec.ID, "error", err.Error())
	}
	return all
}

// unproven tells the instances of revisions that never succeeded. A revision
// that is not there any more did: a failed one leaves no instance, and was pruned
// long after it.
func (e *Engine) unproven(ctx context.Context, deployment string) (func(node.Instance) bool, error) {
	all, err := e.store.ListRevisionsByDeployment(ctx, deployment)
	failed, newest := map[int]bool{}, 0
	for _, r := range all {
		newest = max(newest, r.Number)
		switch r.Status {
		case engine.RevisionSuccessful, engine.RevisionObsolete, engine.RevisionDowngraded:
		default:
			failed[r.Number] = true
		}
	}
	return func(i node.Instance) bool { return failed[i.Labels.Revision] || i.Labels.Revision > newest }, err
}

// levelsOf orders components by what they depend on.
func levelsOf(components map[string]catalog.Effective) [][]string {
	steps := plan.Make(nil, plan.Desired{Components: components}, nil, plan.Traits{}).Steps
	var levels [][]string
	for _, level := range plan.Levels(steps) {
		var names []string
		for _, s := range level {
			names = append(names, s.Component)
		}
		levels = append(levels, names)
	}
	return levels
}

// rollOut finds out what is wanted, and rolls it out.
func (a *attempt) rollOut(ctx context.Context) error {
	wanted, err := a.desireOf(ctx, a.rec.Deployment, a.world, a.secrets)
	if err != nil {
		return err
	}
	if err := checkRuntime(a.driver, wanted.components, a.info); err != nil {
		return err
	}
	return a.claiming(ctx, wanted, func() error { return a.bringTo(ctx, wanted) })
}

// bringTo brings the deployment to what is wanted.
func (a *attempt) bringTo(ctx context.Context, wanted desire) error {
	unwell, err := a.settle(ctx, wanted)
	if err != nil {
		return a.notSettled(err)
	}
	traits := plan.Traits{StartFirstPorts: a.info.StartFirstPorts, Recreate: a.strategy.Type == engine.StrategyRecreate}
	if traits.Data, err = a.dataOf(ctx, a.rec.Deployment, a.prior, wanted); err != nil {
		return a.failed(err)
	}
	steps, observed, err := a.plan(ctx, wanted, unwell, traits)
	if err != nil {
		return a.failed(err)
	}
	if a.unchanged(wanted, steps) {
		return a.keepSpec(ctx)
	}
	err = a.revise(ctx, wanted, steps, observed, traits)
	a.pruneSnapshots(context.WithoutCancel(ctx), traits.Data)
	if err == nil {
		a.prune(context.WithoutCancel(ctx), a.world.node)
	}
	return err
}

// checkRuntime refuses what the node's runtime cannot honour.
func checkRuntime(d node.Driver, components map[string]catalog.Effective, info node.Info) error {
	return eachComponent(components, func(name string, c catalog.Effective) error {
		return engine.At("components."+name, d.Check(c.Component, info))
	})
}

// plan looks at what is left to do once the deployment is settled.
func (a *attempt) plan(ctx context.Context, wanted desire, unwell map[string]bool, traits plan.Traits) (plan.Plan, []node.Instance, error) {
	observed, err := a.observe(ctx)
	if err != nil {
		return plan.Plan{}, nil, err
	}
	if a.kept != nil {
		observed = withoutKept(observed, a.kept, a.prior.components(), wanted.components)
	}
	return plan.Make(a.prior.components(), plan.Desired{Components: wanted.components},
		asPlanned(observed, wanted.components, unwell), traits), observed, nil
}

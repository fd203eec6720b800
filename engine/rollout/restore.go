package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
)

// quickly bounds the steps of putting back that only give orders.
const quickly = 30 * time.Second

// putBack makes the prior revision serve again and removes what is new; it
// answers in a sentence what serves now, and whether anything new is left. Only
// waiting for a node that is away ends with the cancellation.
func (r *run) putBack(cancellable context.Context) (restored string, left bool) {
	ctx := context.WithoutCancel(cancellable)
	switch {
	case r.in.Prior == nil:
		return r.leaveNothing(ctx)
	case !r.touched:
		return fmt.Sprintf("version %s serves; it was not touched", r.in.Prior.Version), false
	case !r.in.Strategy.AutoRollback:
		return fmt.Sprintf("auto_rollback is off: what the failed rollout left is still there; version %s has the traffic of every component that was not replaced yet", r.in.Prior.Version), true
	}
	if err := r.awaitNode(cancellable); err != nil {
		return r.outOfReach(err), true
	}
	if err := r.backToPrior(ctx); err != nil {
		return fmt.Sprintf("version %s could not be restored completely (%v); apply again to repair it", r.in.Prior.Version, err), true
	}
	if len(r.stopped) > 0 {
		return fmt.Sprintf("version %s was started again and serves", r.in.Prior.Version), false
	}
	return fmt.Sprintf("version %s serves; it never stopped", r.in.Prior.Version), false
}

// leaveNothing undoes a first deployment, with the volumes it made itself.
func (r *run) leaveNothing(ctx context.Context) (restored string, left bool) {
	if !r.touched {
		return "nothing: the first deployment had not started anything", false
	}
	ctx, cancel := health.WithTimeout(ctx, r.Clock, restoreTimeout)
	defer cancel()
	err := r.step(ctx, Step{Name: "restore", Detail: "remove the first deployment"}, engine.PhaseRecover,
		func() error { return r.RemoveFirst(ctx, r.in.Deployment, r.in.VolumesBefore) })
	if err != nil {
		return fmt.Sprintf("nothing, but the first deployment could not be removed completely (%v); apply again to finish it", err), true
	}
	return "nothing: the first deployment failed and left nothing behind", false
}

// RemoveFirst removes a deployment that never succeeded, with the volumes that
// were not there before it.
func (r *Runner) RemoveFirst(ctx context.Context, deployment string, before []string) error {
	volumes, err := r.Driver.Volumes(ctx, deployment)
	if err != nil {
		return err
	}
	own := slices.DeleteFunc(volumes, func(v string) bool { return slices.Contains(before, v) })
	return r.Driver.RemoveDeployment(ctx, deployment, own)
}

// backToPrior never lets two writers at one volume nor two owners at one port:
// where an old instance had to stop, its successor goes, with a short grace
// only, before it comes back. The traffic goes back at once, also where an old
// instance takes long to answer; what never stopped has it then.
func (r *run) backToPrior(ctx context.Context) error {
	var failed []error
	failed = append(failed, together(r.stopped, func(m made) error {
		var errs []error
		for _, fresh := range r.takeCreated(m.component) {
			errs = append(errs, r.putAway(ctx, fresh.component, fresh.key))
		}
		return errors.Join(errs...)
	}))
	failed = append(failed, together(r.stopped, func(old made) error { return r.restart(ctx, old) }))
	failed = append(failed, r.routeBack(ctx))
	failed = append(failed, together(r.stopped, func(old made) error {
		return r.answers(ctx, old.key, old.component, *r.in.Prior, r.in.Strategy)
	}))
	failed = append(failed, together(r.created, func(m made) error { return r.putAway(ctx, m.component, m.key) }))
	return errors.Join(failed...)
}

func (r *run) restart(ctx context.Context, old made) error {
	ctx, cancel := health.WithTimeout(ctx, r.Clock, quickly)
	defer cancel()
	return r.step(ctx, Step{Name: "start", Component: old.component, Detail: old.key.Name}, engine.PhaseRecover,
		func() error { return r.startAgain(ctx, old.key, old.component, *r.in.Prior) })
}

func (r *run) routeBack(ctx context.Context) error {
	ctx, cancel := health.WithTimeout(ctx, r.Clock, quickly)
	defer cancel()
	return r.step(ctx, Step{Name: "route", Detail: "back"}, engine.PhaseRecover,
		func() error { return r.table.reset(ctx) })
}

// together does something with all instances at the same time and joins what
// went wrong.
func together(all []made, do func(made) error) error {
	errs := make([]error, len(all))
	var wait sync.WaitGroup
	for n, m := range all {
		wait.Go(func() { errs[n] = do(m) })
	}
	wait.Wait()
	return errors.Join(errs...)
}

// takeCreated removes a component's new instances from the list of the made
// ones and answers them.
func (r *run) takeCreated(component string) []made {
	r.mu.Lock()
	defer r.mu.Unlock()
	var taken, left []made
	for _, m := range r.created {
		if m.component == component {
			taken = append(taken, m)
		} else {
			left = append(left, m)
		}
	}
	r.created = left
	return taken
}

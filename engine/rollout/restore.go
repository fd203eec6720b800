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
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

const (
	// quickly bounds the steps of putting back that only give orders.
	quickly = 30 * time.Second
	// restoreAttempts is how often the prior revision is put back on a node that
	// goes away meanwhile: one that is being stopped still answers for a while.
	restoreAttempts = 3
)

// putBack makes the prior revision serve again and removes what is new; it
// answers in a sentence what serves now, and whether anything new is left. Only
// waiting for a node that is away ends with the cancellation.
func (r *run) putBack(cancellable context.Context) (restored string, left bool) {
	ctx := context.WithoutCancel(cancellable)
	switch {
	case r.in.Prior == nil:
		return r.leaveNothing(ctx)
	case !r.touched && len(r.stopped) == 0:
		return fmt.Sprintf("version %s serves; it was not touched", r.in.Prior.Version), false
	case r.touched && !r.in.Strategy.AutoRollback:
		return fmt.Sprintf("auto_rollback is off: what the failed rollout left is still there; version %s has the traffic of every component that was not replaced yet", r.in.Prior.Version), true
	}
	var err error
	for range restoreAttempts {
		if err := r.awaitNode(cancellable); err != nil {
			return r.outOfReach(err), true
		}
		if err = r.backToPrior(cancellable); !errors.Is(err, node.ErrUnreachable) && !errors.Is(err, node.ErrInternal) {
			break
		}
	}
	switch {
	case err != nil:
		return fmt.Sprintf("version %s could not be restored completely (%v); apply again to repair it", r.in.Prior.Version, err), true
	case r.exposed && r.in.Data.SetBack:
		return fmt.Sprintf("version %s was started again and serves, with the data as it was before; what the failed rollout left of it is kept as a snapshot", r.in.Prior.Version), false
	case len(r.stopped) > 0:
		return fmt.Sprintf("version %s was started again and serves", r.in.Prior.Version), false
	default:
		return fmt.Sprintf("version %s serves; it never stopped", r.in.Prior.Version), false
	}
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
	if err := r.leadNowhere(ctx); err != nil {
		return err
	}
	return r.Driver.RemoveDeployment(ctx, deployment, own)
}

// backToPrior never lets two writers at one volume nor two owners at one port:
// where an old instance had to stop, its successor goes, with a short grace
// only, before it comes back. The traffic goes back at once, also where an old
// instance takes long to answer; what never stopped has it then. What visitors have
// under way in new instances is finished before these go, unless it is cancelled. It
// may be called again.
func (r *run) backToPrior(cancellable context.Context) error {
	ctx := context.WithoutCancel(cancellable)
	inTheWay, beside := r.successors()
	putAway := func(m made) error { return r.putAway(ctx, m.component, m.key) }
	asleep, err := r.setBackData(ctx)
	failed := []error{err, together(inTheWay, putAway)}
	failed = append(failed, together(asleep, func(old made) error {
		for _, m := range inTheWay {
			if m.component != old.component {
				continue
			}
			if err := r.ended(ctx, m.key); err != nil {
				return err
			}
		}
		return r.restart(ctx, old)
	}))
	failed = append(failed, r.routeBack(ctx))
	failed = append(failed, together(asleep, func(old made) error {
		return r.answers(ctx, old.key, old.component, *r.in.Prior, r.in.Strategy)
	}))
	failed = append(failed, together(beside, func(m made) error {
		if r.table.visited(m.key.Name) {
			r.drain(cancellable, m.key)
		}
		return putAway(m)
	}))
	return errors.Join(failed...)
}

// successors are the new instances: those whose predecessors had to stop, and the others.
func (r *run) successors() (inTheWay, beside []made) {
	for _, m := range r.created {
		if slices.ContainsFunc(r.stopped, func(old made) bool { return old.component == m.component }) {
			inTheWay = append(inTheWay, m)
		} else {
			beside = append(beside, m)
		}
	}
	return inTheWay, beside
}

// ended is an error unless the instance certainly does not run.
func (r *run) ended(ctx context.Context, key node.Key) error {
	i, err := r.Driver.Inspect(ctx, key)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return nil
	case err == nil && (i.State == node.Running || i.State == node.Restarting):
		return fmt.Errorf("%s still runs", key.Name)
	}
	return err
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

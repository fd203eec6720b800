package rollout

import (
	"context"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// revivable reports whether the instance is whole, what is wanted, and not running.
func revivable(i node.Instance, wanted catalog.Effective) bool {
	whole := i.Labels.ConfigHash == wanted.ConfigHash && len(i.Altered) == 0
	asleep := i.State == node.Lost || i.State == node.Exited && !FinishedJob(i, wanted.Component)
	return whole && asleep
}

// FinishedJob reports whether the instance ended as it should and stays so.
func FinishedJob(i node.Instance, c engine.Component) bool {
	return endsByItself(c) && i.State == node.Exited && i.ExitCode == 0 && i.Error == ""
}

// endsByItself reports whether the component is a job.
func endsByItself(c engine.Component) bool {
	return c.Restart == catalog.RestartNever || c.Restart == catalog.RestartOnFailure
}

// bringBack starts an instance that was proved before, and waits until its
// checks pass once more; it need not show its stability again.
func (r *Runner) bringBack(ctx context.Context, key node.Key, component string, t Target, s Strategy) error {
	if err := r.startAgain(ctx, key, component, t); err != nil {
		return err
	}
	return r.answers(ctx, key, component, t, s)
}

// startAgain starts an instance with the secrets of its revision.
func (r *Runner) startAgain(ctx context.Context, key node.Key, component string, t Target) error {
	if t.Sealed != nil && t.Components[component].SecretHash != "" {
		return t.Sealed
	}
	return r.Driver.Start(ctx, key, t.Secrets[component])
}

// answers waits until the instance passes its checks.
func (r *Runner) answers(ctx context.Context, key node.Key, component string, t Target, s Strategy) error {
	effective := t.Components[component]
	brought, err := r.imageCheck(ctx, effective, t.Images[component])
	if err != nil {
		return err
	}
	before, err := liveness(ctx, r.Driver, key)
	if err != nil {
		return err
	}
	ctx, cancel := health.WithTimeout(ctx, r.Clock, min(s.ProgressDeadline, restoreTimeout))
	defer cancel()
	return health.Gate{Clock: r.Clock}.Wait(ctx, health.GateInput{
		Target:       target{driver: r.Driver, key: key},
		Checks:       catalog.HealthChecks(component, effective.Component, brought),
		Ports:        effective.Component.Ports,
		Alive:        func(ctx context.Context) (health.Liveness, error) { return liveness(ctx, r.Driver, key) },
		RestartNever: endsByItself(effective.Component),
		Restarts:     before.Restarts,
	})
}

// imageCheck asks for the image's own check where the component declares none.
func (r *Runner) imageCheck(ctx context.Context, c catalog.Effective, image node.Image) (*engine.HealthCheck, error) {
	if len(c.Component.HealthChecks) > 0 || c.Replicas == 0 {
		return nil, nil
	}
	there, err := r.Driver.Has(ctx, image)
	if err != nil || !there {
		return nil, err
	}
	return r.Driver.HealthCheck(ctx, image)
}

// shortGrace bounds how long an instance that nothing may wait for gets to end
// by itself, whatever its own grace period is: what failed, and what a killed
// run left.
const shortGrace = 10 * time.Second

// putAway ends and removes an instance that nothing waits for.
func (r *Runner) putAway(ctx context.Context, component string, key node.Key) error {
	return r.journal(ctx, Step{Name: "remove", Component: component, Detail: key.Name}, func() error {
		polite, cancel := health.WithTimeout(ctx, r.Clock, shortGrace)
		defer cancel()
		_ = r.Driver.Stop(polite, key) // Remove ends what did not listen
		return r.Driver.Remove(ctx, key)
	})
}

// journal writes the step down, runs it and records its end.
func (r *Runner) journal(ctx context.Context, s Step, do func() error) error {
	end, err := r.Journal.Begin(ctx, s)
	if err != nil {
		return err
	}
	err = do()
	end(err)
	return err
}

// step is journal with the phase and component that an error is told with.
func (r *run) step(ctx context.Context, s Step, phase engine.Phase, do func() error) error {
	if err := r.journal(ctx, s, do); err != nil {
		return &phaseError{phase: phase, component: s.Component, err: err}
	}
	return nil
}

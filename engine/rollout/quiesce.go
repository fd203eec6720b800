package rollout

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/plan"
)

// quiesce runs the commands that quiet volumes before their snapshots, in what serves.
// Nothing was touched yet, so a failure leaves everything as it was. The new version
// says them: the old one may be sealed with one that cannot succeed. Going back runs
// none, it must not hang on what is given up.
func (r *run) quiesce(ctx context.Context) error {
	group, gctx := errgroup.WithContext(ctx)
	for _, d := range r.in.Data.Volumes {
		wanted := r.in.Target.Components[d.Component].Component.Volumes[d.Volume].PreSnapshot
		if wanted == nil || d.Restore != nil {
			continue
		}
		for _, i := range r.in.Observed {
			if i.Labels.Component == d.Component && i.State == node.Running {
				group.Go(func() error { return r.quiesceIn(gctx, d, *wanted, i.Key) })
			}
		}
	}
	return group.Wait()
}

func (r *run) quiesceIn(ctx context.Context, d plan.Data, wanted engine.PreSnapshot, key node.Key) error {
	limit, err := engine.ParseDuration("timeout", wanted.Timeout, 0)
	if err != nil {
		return &phaseError{phase: engine.PhaseData, component: d.Component, err: err}
	}
	return r.step(ctx, Step{Name: "pre-snapshot", Component: d.Component, Detail: d.Volume + " in " + key.Name}, engine.PhaseData, func() error {
		within, cancel := health.WithTimeout(ctx, r.Clock, limit)
		defer cancel()
		ended, err := r.Driver.Exec(within, key, wanted.Command)
		switch said := strings.TrimSpace(ended.Output); {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(context.Cause(within), context.DeadlineExceeded):
			return unquiet(d, key, fmt.Sprintf("did not end within %s", limit), said)
		case err != nil:
			return err
		case ended.ExitCode != 0:
			return unquiet(d, key, fmt.Sprintf("ended with exit code %d", ended.ExitCode), said)
		}
		return nil
	})
}

func unquiet(d plan.Data, key node.Key, how, said string) error {
	if said != "" {
		how += ": " + said
	}
	return &engine.Error{
		Class: engine.ErrConflict, Field: "components." + d.Component + ".volumes." + d.Volume + ".pre_snapshot",
		Reason: fmt.Sprintf("the command in %s %s", key.Name, how),
		Hint:   "mend what it met, or give this version another command",
	}
}

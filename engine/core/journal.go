package core

import (
	"context"
	"errors"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// Journal writes down every step before it runs.
type Journal = rollout.Journal

// storeJournal is the journal of one operation in the store.
type storeJournal struct {
	store     *store.Store
	operation string
}

// Begin implements rollout.Journal.
func (j storeJournal) Begin(ctx context.Context, s rollout.Step) (func(error), error) {
	name := s.Name
	if s.Detail != "" {
		name += " " + s.Detail
	}
	ctx = context.WithoutCancel(ctx)
	step, err := j.store.StartStep(ctx, j.operation, name, s.Component, "")
	if err != nil {
		return nil, err
	}
	return func(failed error) {
		status, detail := engine.StepDone, ""
		if failed != nil {
			status, detail = engine.StepFailed, failed.Error()
		}
		// A step whose end is not recorded counts as started: it is safe to repeat.
		_ = j.store.FinishStep(ctx, j.operation, step.Seq, status, detail)
	}, nil
}

// operation records one run of the engine on a deployment.
type operation struct {
	engine  *Engine
	id      string
	journal Journal
}

// begin opens an operation; those that a killed process left open are closed.
func (e *Engine) begin(ctx context.Context, deployment, kind string) (*operation, error) {
	if _, err := e.store.InterruptOperations(ctx, deployment); err != nil {
		return nil, err
	}
	o, err := e.store.CreateOperation(ctx, engine.Operation{DeploymentID: deployment, Kind: kind, Owner: e.owner})
	if err != nil {
		return nil, err
	}
	var journal Journal = storeJournal{store: e.store, operation: o.ID}
	if e.cfg.Journal != nil {
		journal = e.cfg.Journal(journal)
	}
	return &operation{engine: e, id: o.ID, journal: journal}, nil
}

// step writes a step down, runs it and records its end.
func (o *operation) step(ctx context.Context, s rollout.Step, do func() error) error {
	end, err := o.journal.Begin(ctx, s)
	if err != nil {
		return err
	}
	err = do()
	end(err)
	return err
}

// end closes the operation with what it answered.
func (o *operation) end(ctx context.Context, failed error) {
	status, text := engine.OperationSucceeded, ""
	if failed != nil {
		status, text = engine.OperationFailed, failed.Error()
	}
	if err := o.engine.store.FinishOperation(context.WithoutCancel(ctx), o.id, status, text, engine.ErrorCode(failed)); err != nil {
		o.engine.log.WarnContext(ctx, "close operation", "operation", o.id, "error", err.Error())
	}
}

// forgetFailed takes away the row of a deployment that never succeeded and left
// nothing on its node: it does not exist. Whoever took the deployment over
// meanwhile has interrupted this operation, and decides.
func (o *operation) forgetFailed(ctx context.Context, deployment string, failed error) {
	var rollout *engine.RolloutError
	if errors.As(failed, &rollout) && rollout.Leftover {
		return
	}
	err := o.engine.store.Tx(ctx, func(tx *store.Tx) error {
		rec, err := tx.Deployment(ctx, deployment)
		if err != nil || rec.Serving > 0 {
			return err
		}
		own, err := tx.Operation(ctx, o.id)
		if err != nil || own.Status != engine.OperationRunning {
			return err
		}
		return tx.DeleteDeployment(ctx, deployment)
	})
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		o.engine.log.WarnContext(ctx, "forget failed deployment", "deployment", deployment, "error", err.Error())
	}
}

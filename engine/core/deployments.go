package core

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// CreateDeployment implements engine.Service.
func (e *Engine) CreateDeployment(ctx context.Context, d engine.Deployment, secrets map[string]string) (engine.Deployment, error) {
	d, err := complete(d)
	if err != nil {
		return engine.Deployment{}, err
	}
	held, release, err := e.hold(ctx, d.ID)
	if err != nil {
		return engine.Deployment{}, err
	}
	defer release()
	present, err := orNil(e.store.Deployment(ctx, d.ID))
	switch {
	case err != nil:
		return engine.Deployment{}, err
	case present != nil && present.Confirmed:
		return engine.Deployment{}, existsError("deployment", d.ID)
	}
	if secrets == nil {
		secrets = map[string]string{}
	}
	if err := e.createHeld(held, d, secrets); err != nil {
		return engine.Deployment{}, err
	}
	return e.outcome(ctx, d.ID)
}

// createHeld makes the deployment's row, which takes the prefix, and rolls out.
func (e *Engine) createHeld(ctx context.Context, d engine.Deployment, secrets map[string]string) error {
	w, err := e.lookUp(ctx, d, true)
	if err != nil {
		return err
	}
	sealed, err := e.seal(secrets)
	if err != nil {
		return err
	}
	rec, err := e.store.CreateDeployment(ctx, store.DeploymentRecord{
		Deployment: d, NodeID: w.node.ID, ProductID: w.version.ProductID,
	})
	if err != nil {
		return err
	}
	rec.Deployment = d
	return e.bring(ctx, rec, w, sealed, causeCreate)
}

// UpdateDeployment implements engine.Service.
func (e *Engine) UpdateDeployment(ctx context.Context, d engine.Deployment, secrets map[string]string) (engine.Deployment, error) {
	d, err := complete(d)
	if err != nil {
		return engine.Deployment{}, err
	}
	held, release, err := e.hold(ctx, d.ID)
	if err != nil {
		return engine.Deployment{}, err
	}
	defer release()
	failed := e.updateHeld(held, d, secrets)
	now, err := e.outcome(context.WithoutCancel(ctx), d.ID)
	if failed != nil {
		return now, failed
	}
	return now, err
}

func (e *Engine) updateHeld(ctx context.Context, d engine.Deployment, secrets map[string]string) error {
	rec, err := e.store.Deployment(ctx, d.ID)
	if err != nil {
		return err
	}
	w, err := e.lookUp(ctx, d, false)
	if err != nil {
		return err
	}
	if w.node.ID != rec.NodeID {
		return &engine.Error{
			Class: engine.ErrConflict, Field: "environment_id",
			Reason: fmt.Sprintf("the deployment runs on node %s, its environment is on %s now", rec.NodeID, w.node.ID),
			Hint:   "destroy the deployment and create it on the other node",
		}
	}
	var sealed map[string]store.Secret
	if secrets != nil {
		if sealed, err = e.seal(secrets); err != nil {
			return err
		}
	}
	rec.Deployment = d
	return e.bring(ctx, rec, w, sealed, causeUpdate)
}

// DeleteDeployment implements engine.Service.
func (e *Engine) DeleteDeployment(ctx context.Context, id string) error {
	if err := e.mayDestroy(ctx, id); err != nil {
		return err
	}
	held, release, err := e.hold(ctx, id)
	if err != nil {
		return err
	}
	defer release()
	rec, err := e.store.Deployment(held, id)
	if err == nil {
		err = mayEnd("deployment "+id, rec.DeletionProtection) // whoever held it before may have changed it
	}
	if err != nil {
		return err
	}
	return e.deleteHeld(held, rec)
}

func (e *Engine) deleteHeld(ctx context.Context, rec store.DeploymentRecord) (err error) {
	defer e.forgetNode(rec.NodeID)
	op, err := e.begin(ctx, rec.ID, "delete")
	if err != nil {
		return err
	}
	defer func() {
		op.end(ctx, err)
		e.pruneHistory(context.WithoutCancel(ctx), rec)
	}()
	n, err := e.store.Node(ctx, rec.NodeID)
	if err != nil {
		return err
	}
	d, err := e.driver(ctx, n)
	if err != nil {
		return err
	}
	volumes, err := e.perishable(ctx, rec.ID)
	if err != nil {
		return err
	}
	if err := e.leaveIngress(ctx, op, n, rec); err != nil {
		return fmt.Errorf("take %s out of the ingress of node %s (operation %s): %w", rec.ID, n.ID, op.id, err)
	}
	err = op.step(ctx, rollout.Step{Name: "remove", Detail: "all of " + rec.ID}, func() error {
		return d.RemoveDeployment(ctx, rec.ID, volumes)
	})
	if err != nil {
		return fmt.Errorf("remove %s from node %s (operation %s): %w", rec.ID, n.ID, op.id, err)
	}
	if err := op.step(ctx, rollout.Step{Name: "commit"}, func() error { return e.forget(ctx, rec.ID) }); err != nil {
		return err
	}
	e.prune(context.WithoutCancel(ctx), n)
	return nil
}

// forget takes the deployment's row away; an attempt that a killed process left
// open is closed first.
func (e *Engine) forget(ctx context.Context, id string) error {
	open, err := e.store.InProgressRevision(ctx, id)
	switch {
	case errors.Is(err, engine.ErrNotFound):
	case err != nil:
		return err
	default:
		if err := e.store.FinishRevision(ctx, id, open.Number, engine.RevisionFailed, "interrupted, then destroyed"); err != nil {
			return err
		}
	}
	return e.store.DeleteDeployment(ctx, id)
}

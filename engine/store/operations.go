package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

const selectOperations = "SELECT id, deployment_id, kind, status, owner, started_at, finished_at, error, code FROM operations"

func scanOperation(s scanner) (o engine.Operation, err error) {
	return o, s.Scan(&o.ID, &o.DeploymentID, &o.Kind, &o.Status, &o.Owner, nanos{&o.StartedAt}, nanos{&o.FinishedAt}, &o.Error, &o.Code)
}

// newOperationID is "op_" with the milliseconds of t, so that ids sort by
// time, and 80 random bits.
func newOperationID(t time.Time) string {
	random := make([]byte, 10)
	_, _ = rand.Read(random) // never fails
	return fmt.Sprintf("op_%012x%s", t.UnixMilli(), hex.EncodeToString(random))
}

// CreateOperation records that a run starts. ID, Status and StartedAt are set
// when they are empty.
func (s Queries) CreateOperation(ctx context.Context, o engine.Operation) (engine.Operation, error) {
	if o.StartedAt.IsZero() {
		o.StartedAt = s.run.now()
	}
	if o.ID == "" {
		o.ID = newOperationID(o.StartedAt)
	}
	if o.Status == "" {
		o.Status = engine.OperationRunning
	}
	return o, s.run.write(ctx, func(q querier) error {
		_, err := exec(ctx, q, "INSERT INTO operations (id, deployment_id, kind, status, owner, started_at, finished_at, error, code) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			o.ID, o.DeploymentID, o.Kind, string(o.Status), o.Owner, nanos{&o.StartedAt}, nanos{&o.FinishedAt}, o.Error, o.Code)
		return err
	})
}

// Operation reads one operation with its steps.
func (s Queries) Operation(ctx context.Context, id string) (engine.Operation, error) {
	o, err := one(ctx, s.run.read(), engine.NotFound("operation", id), scanOperation, selectOperations+" WHERE id = ?", id)
	if err == nil {
		o.Steps, err = s.steps(ctx, id)
	}
	return o, err
}

// FinishOperation records how a running operation ended. One that has ended
// stays as it is.
func (s Queries) FinishOperation(ctx context.Context, id string, status engine.OperationStatus, failure, code string) error {
	now := s.run.now()
	return s.run.write(ctx, func(q querier) error {
		_, err := exec(ctx, q, "UPDATE operations SET status = ?, error = ?, code = ?, finished_at = ? WHERE id = ? AND status = 'running'",
			string(status), failure, code, nanos{&now}, id)
		return err
	})
}

// InterruptOperations ends the deployment's operations that still count as
// running, and tells their ids, oldest first. Only the holder of the
// deployment's lease may call it, before it starts its own.
func (s Queries) InterruptOperations(ctx context.Context, deploymentID string) (ids []string, err error) {
	now := s.run.now()
	err = s.run.write(ctx, func(q querier) error {
		ids, err = all(ctx, q, scanString, "SELECT id FROM operations WHERE deployment_id = ? AND status = 'running' ORDER BY id", deploymentID)
		if err != nil {
			return err
		}
		_, err = exec(ctx, q, "UPDATE operations SET status = 'interrupted', code = 'interrupted', finished_at = ? WHERE deployment_id = ? AND status = 'running'", nanos{&now}, deploymentID)
		return err
	})
	return ids, err
}

// ListOperations reads operations without their steps, newest first.
func (s Queries) ListOperations(ctx context.Context, f engine.OperationFilter) ([]engine.Operation, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 1 << 30
	}
	return all(ctx, s.run.read(), scanOperation,
		selectOperations+" WHERE ? IN ('', deployment_id) AND ? IN ('', status) ORDER BY id DESC LIMIT ?",
		f.DeploymentID, string(f.Status), limit)
}

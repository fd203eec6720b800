package store

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

const selectSteps = "SELECT seq, name, component, status, attempt, started_at, finished_at, detail FROM operation_steps"

func scanStep(s scanner) (t engine.OperationStep, err error) {
	return t, s.Scan(&t.Seq, &t.Name, &t.Component, &t.Status, &t.Attempt, nanos{&t.StartedAt}, nanos{&t.FinishedAt}, &t.Detail)
}

// StartStep journals that a step of a running operation starts, before it
// does. A step of that name and component that was started before is started
// again, with the next attempt and the same Seq.
func (s Queries) StartStep(ctx context.Context, operationID, name, component, detail string) (t engine.OperationStep, err error) {
	t = engine.OperationStep{Name: name, Component: component, Status: engine.StepStarted, Attempt: 1, StartedAt: s.run.now(), Detail: detail}
	err = s.run.write(ctx, func(q querier) error {
		if _, err := one(ctx, q, engine.NotFound("running operation", operationID), scanString,
			"SELECT id FROM operations WHERE id = ? AND status = 'running'", operationID); err != nil {
			return err
		}
		before, err := all(ctx, q, scanStep, selectSteps+" WHERE operation_id = ? AND name = ? AND component = ?", operationID, name, component)
		if err != nil {
			return err
		}
		if len(before) > 0 {
			t.Seq, t.Attempt = before[0].Seq, before[0].Attempt+1
		} else if t.Seq, err = one(ctx, q, errNoRow, scanInt,
			"SELECT COALESCE(MAX(seq), 0) + 1 FROM operation_steps WHERE operation_id = ?", operationID); err != nil {
			return err
		}
		_, err = exec(ctx, q, `INSERT INTO operation_steps (operation_id, seq, name, component, status, attempt, started_at, finished_at, detail)
			VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?) ON CONFLICT (operation_id, seq) DO UPDATE SET
			status = excluded.status, attempt = excluded.attempt, started_at = excluded.started_at, finished_at = 0, detail = excluded.detail`,
			operationID, t.Seq, name, component, string(t.Status), t.Attempt, nanos{&t.StartedAt}, detail)
		return err
	})
	return t, err
}

// FinishStep journals how a step ended; detail "" keeps what StartStep wrote.
func (s Queries) FinishStep(ctx context.Context, operationID string, seq int, status engine.StepStatus, detail string) error {
	now := s.run.now()
	return s.run.write(ctx, func(q querier) error {
		n, err := exec(ctx, q, "UPDATE operation_steps SET status = ?, finished_at = ?, detail = CASE WHEN ? = '' THEN detail ELSE ? END WHERE operation_id = ? AND seq = ?",
			string(status), nanos{&now}, detail, detail, operationID, seq)
		if err == nil && n == 0 {
			return engine.NotFound("step of operation", operationID)
		}
		return err
	})
}

func (s Queries) steps(ctx context.Context, operationID string) ([]engine.OperationStep, error) {
	return all(ctx, s.run.read(), scanStep, selectSteps+" WHERE operation_id = ? ORDER BY seq", operationID)
}

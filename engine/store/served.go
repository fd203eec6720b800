package store

import (
	"context"
	"time"
)

// Served tells of a version in an environment.
type Served struct {
	Ever bool          // it succeeded there
	For  time.Duration // how long it has served there, in sum; the longest of several deployments
}

// NoteServing notes that the deployment's revision serves from now on, and none
// before it; one without instances (runs is false) proves nothing.
func (s Queries) NoteServing(ctx context.Context, deploymentID string, number int, runs bool) error {
	now := s.run.now()
	return s.run.write(ctx, func(q querier) error {
		if err := endServing(ctx, q, deploymentID, now); err != nil || !runs {
			return err
		}
		_, err := exec(ctx, q, `INSERT INTO served (environment_id, deployment_id, version_ref, images, soaked, since)
			SELECT d.environment_id, d.id, r.version_ref, r.images, 0, ? FROM revisions r JOIN deployments d ON d.id = r.deployment_id
			WHERE r.deployment_id = ? AND r.number = ?
			ON CONFLICT (environment_id, version_ref, deployment_id, images) DO UPDATE SET since = excluded.since`,
			nanos{&now}, deploymentID, number)
		return err
	})
}

// endServing adds up the time of what serves in the deployment.
func endServing(ctx context.Context, q querier, deploymentID string, now time.Time) error {
	_, err := exec(ctx, q, "UPDATE served SET soaked = soaked + CASE WHEN ? > since THEN ? - since ELSE 0 END, since = 0 WHERE deployment_id = ? AND since > 0",
		nanos{&now}, nanos{&now}, deploymentID)
	return err
}

// Served reads how a version with exactly these images did in an environment.
func (s Queries) Served(ctx context.Context, environmentID, versionRef string, images map[string]string) (Served, error) {
	now := s.run.now()
	return one(ctx, s.run.read(), errNoRow, func(s scanner) (v Served, err error) {
		return v, s.Scan(&v.Ever, &v.For)
	}, `SELECT COUNT(*) > 0, COALESCE(MAX(soaked + CASE WHEN since > 0 AND ? > since THEN ? - since ELSE 0 END), 0)
		FROM served WHERE environment_id = ? AND version_ref = ? AND images = ?`,
		nanos{&now}, nanos{&now}, environmentID, versionRef, jsonColumn{images})
}

// ServingIn reads the revisions of a product that serve in an environment.
func (s Queries) ServingIn(ctx context.Context, environmentID, productID string) ([]Revision, error) {
	return all(ctx, s.run.read(), scanRevision, selectRevisions+` WHERE status = 'successful' AND deployment_id IN (
		SELECT id FROM deployments WHERE environment_id = ? AND product_id = ?) ORDER BY deployment_id`, environmentID, productID)
}

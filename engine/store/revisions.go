package store

import (
	"context"
	"fmt"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

const selectRevisions = `SELECT deployment_id, number, status, version_id, version_ref, version, version_name, cause, reason,
	started_at, finished_at, operation_id, images, changes, config FROM revisions`

func scanRevision(s scanner) (r Revision, err error) {
	return r, s.Scan(&r.DeploymentID, &r.Number, &r.Status, &r.VersionID, &r.VersionRef, &r.Version, &r.VersionName, &r.Cause, &r.Reason,
		nanos{&r.StartedAt}, nanos{&r.FinishedAt}, &r.OperationID, jsonColumn{&r.Images}, jsonColumn{&r.Changes}, &r.Config)
}

// CreateRevision adds a revision with the next number of its deployment and the
// status it has, preparing or in_progress; "" is in_progress. StartedAt is the
// present when it is zero, VersionID that of VersionRef when it is "". While
// another one is in progress it is ErrConflict.
func (s Queries) CreateRevision(ctx context.Context, r Revision) (Revision, error) {
	if r.Status == "" {
		r.Status = engine.RevisionInProgress
	}
	if r.StartedAt.IsZero() {
		r.StartedAt = s.run.now()
	}
	if r.VersionID == "" {
		id, _, err := engine.SplitRef(r.VersionRef)
		if err != nil {
			return Revision{}, err
		}
		r.VersionID = id
	}
	err := s.run.write(ctx, func(q querier) (err error) {
		if err := deployments.parent(ctx, q, "deployment_id", r.DeploymentID); err != nil {
			return err
		}
		if err := versions.parent(ctx, q, "version", r.VersionID); err != nil {
			return err
		}
		if r.Status == engine.RevisionInProgress {
			if err := checkIdle(ctx, q, r.DeploymentID, 0); err != nil {
				return err
			}
		}
		r.Number, err = one(ctx, q, errNoRow, scanInt, "SELECT COALESCE(MAX(number), 0) + 1 FROM revisions WHERE deployment_id = ?", r.DeploymentID)
		if err != nil {
			return err
		}
		_, err = exec(ctx, q, `INSERT INTO revisions (deployment_id, number, status, version_id, version_ref, version, version_name, cause, reason,
			started_at, finished_at, operation_id, images, changes, config) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.DeploymentID, r.Number, string(r.Status), r.VersionID, r.VersionRef, r.Version, r.VersionName, r.Cause, r.Reason,
			nanos{&r.StartedAt}, nanos{&r.FinishedAt}, r.OperationID, jsonColumn{r.Images}, jsonColumn{r.Changes}, r.Config)
		return err
	})
	return r, err
}

// StartRevision turns a preparing revision in_progress. One that is in
// progress stays so.
func (s Queries) StartRevision(ctx context.Context, deploymentID string, number int) error {
	return s.run.write(ctx, func(q querier) error {
		if err := checkIdle(ctx, q, deploymentID, number); err != nil {
			return err
		}
		return setStatus(ctx, q, deploymentID, number, engine.RevisionInProgress, "",
			engine.RevisionPreparing, engine.RevisionInProgress)
	})
}

// FinishRevision ends an attempt that did not succeed; the serving revision
// stays what it is. Finishing it again with the same status changes the reason.
func (s Queries) FinishRevision(ctx context.Context, deploymentID string, number int, status engine.RevisionStatus, reason string) error {
	if status == engine.RevisionSuccessful || status == engine.RevisionInProgress {
		return engine.Invalid("status", "a revision is not finished as %q: commit or start it", status)
	}
	now := s.run.now()
	return s.run.write(ctx, func(q querier) error {
		err := setStatus(ctx, q, deploymentID, number, status, reason, engine.RevisionPreparing, engine.RevisionInProgress, status)
		if err == nil {
			_, err = exec(ctx, q, "UPDATE revisions SET finished_at = ? WHERE deployment_id = ? AND number = ?", nanos{&now}, deploymentID, number)
		}
		return err
	})
}

// SetRevisionChanges keeps what the revision changed, one line a component.
func (s Queries) SetRevisionChanges(ctx context.Context, deploymentID string, number int, changes []string) error {
	return s.changeRevision(ctx, deploymentID, number, "changes", jsonColumn{changes})
}

// SetRevisionConfig keeps what a rollback to the revision restores.
func (s Queries) SetRevisionConfig(ctx context.Context, deploymentID string, number int, config []byte) error {
	return s.changeRevision(ctx, deploymentID, number, "config", config)
}

func (s Queries) changeRevision(ctx context.Context, deploymentID string, number int, column string, value any) error {
	return s.run.write(ctx, func(q querier) error {
		n, err := exec(ctx, q, "UPDATE revisions SET "+column+" = ? WHERE deployment_id = ? AND number = ?", value, deploymentID, number)
		if err == nil && n == 0 {
			return noRevision(deploymentID, number)
		}
		return err
	})
}

// Revision reads one revision.
func (s Queries) Revision(ctx context.Context, deploymentID string, number int) (Revision, error) {
	return one(ctx, s.run.read(), noRevision(deploymentID, number), scanRevision,
		selectRevisions+" WHERE deployment_id = ? AND number = ?", deploymentID, number)
}

// ServingRevision reads the successful revision, ErrNotFound before the first success.
func (s Queries) ServingRevision(ctx context.Context, deploymentID string) (Revision, error) {
	return one(ctx, s.run.read(), engine.NotFound("serving revision of deployment", deploymentID), scanRevision,
		selectRevisions+" WHERE deployment_id = ? AND status = 'successful'", deploymentID)
}

// InProgressRevision reads the revision in progress, ErrNotFound when there is none.
func (s Queries) InProgressRevision(ctx context.Context, deploymentID string) (Revision, error) {
	return one(ctx, s.run.read(), engine.NotFound("revision in progress of deployment", deploymentID), scanRevision,
		selectRevisions+" WHERE deployment_id = ? AND status = 'in_progress'", deploymentID)
}

// ListRevisionsByDeployment reads a deployment's revisions, newest first.
func (s Queries) ListRevisionsByDeployment(ctx context.Context, deploymentID string) ([]Revision, error) {
	return all(ctx, s.run.read(), scanRevision, selectRevisions+" WHERE deployment_id = ? ORDER BY number DESC", deploymentID)
}

// Uses reads how the revisions of a version stand in every deployment: of each
// its DeploymentID, Number and Status.
func (s Queries) Uses(ctx context.Context, versionID string) ([]Revision, error) {
	return all(ctx, s.run.read(), func(s scanner) (r Revision, err error) {
		return r, s.Scan(&r.DeploymentID, &r.Number, &r.Status)
	}, "SELECT deployment_id, number, status FROM revisions WHERE version_id = ? ORDER BY deployment_id, number", versionID)
}

func noRevision(deploymentID string, number int) error {
	return &engine.Error{Class: engine.ErrNotFound, Reason: fmt.Sprintf("deployment %q has no revision %d", deploymentID, number)}
}

// checkIdle is ErrConflict when a revision other than number is in progress.
func checkIdle(ctx context.Context, q querier, deploymentID string, number int) error {
	running, err := all(ctx, q, scanInt,
		"SELECT number FROM revisions WHERE deployment_id = ? AND status = 'in_progress' AND number <> ?", deploymentID, number)
	if err == nil && len(running) > 0 {
		return engine.Conflict(fmt.Sprintf("revision %d of deployment %q is in progress", running[0], deploymentID),
			"wait until it has finished; after a crash the next run of the deployment ends it")
	}
	return err
}

// setStatus moves a revision to a status from one of those given, else ErrConflict.
func setStatus(ctx context.Context, q querier, deploymentID string, number int, to engine.RevisionStatus, reason string, from ...engine.RevisionStatus) error {
	present, err := one(ctx, q, noRevision(deploymentID, number), scanString,
		"SELECT status FROM revisions WHERE deployment_id = ? AND number = ?", deploymentID, number)
	if err != nil {
		return err
	}
	for _, allowed := range from {
		if present == string(allowed) {
			_, err := exec(ctx, q, "UPDATE revisions SET status = ?, reason = ? WHERE deployment_id = ? AND number = ?",
				string(to), reason, deploymentID, number)
			return err
		}
	}
	return engine.Conflict(fmt.Sprintf("revision %d of deployment %q is %s and cannot become %s", number, deploymentID, present, to), "refresh and try again")
}

package store

import (
	"context"
	"fmt"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// CommitRevision makes the revision in progress the successful one that
// serves, in one transaction with what follows from it (design 4.2.2, 4.1.1):
// earlier revisions that succeeded become obsolete, or downgraded where their
// version is newer in the same product's chain, and an incremental version is
// sealed. Committing the serving revision again changes nothing. An incremental
// version that was given other content meanwhile is ErrConflict: what succeeded
// is sealed, always.
func (s Queries) CommitRevision(ctx context.Context, deploymentID string, number int) error {
	now := s.run.now()
	return s.run.write(ctx, func(q querier) error {
		r, err := one(ctx, q, noRevision(deploymentID, number), scanRevision,
			selectRevisions+" WHERE deployment_id = ? AND number = ?", deploymentID, number)
		if err != nil || r.Status == engine.RevisionSuccessful {
			return err
		}
		if err := unchanged(ctx, q, r); err != nil {
			return err
		}
		// First the old ones: two successful revisions are never allowed, not even in between.
		if err := supersede(ctx, q, r); err != nil {
			return err
		}
		if err := setStatus(ctx, q, deploymentID, number, engine.RevisionSuccessful, "", engine.RevisionInProgress); err != nil {
			return err
		}
		for _, change := range []struct {
			query string
			args  []any
		}{
			{"UPDATE revisions SET finished_at = ? WHERE deployment_id = ? AND number = ?", []any{nanos{&now}, deploymentID, number}},
			{"UPDATE deployments SET serving_revision = ? WHERE id = ?", []any{number, deploymentID}},
			{"UPDATE versions SET sealed = TRUE WHERE id = ? AND type = 'incremental'", []any{r.VersionID}},
		} {
			if _, err := exec(ctx, q, change.query, change.args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// unchanged refuses an incremental version that is not what was rolled out.
func unchanged(ctx context.Context, q querier, r Revision) error {
	changed, err := all(ctx, q, scanString, "SELECT id FROM versions WHERE id = ? AND type = 'incremental' AND id || '@' || digest <> ?", r.VersionID, r.VersionRef)
	if err != nil || len(changed) == 0 {
		return err
	}
	return &engine.Error{
		Class: engine.ErrConflict, Field: "version",
		Reason: fmt.Sprintf("version %q was given other content while it was rolled out", r.VersionID),
		Hint:   "plan and apply again, to deploy the content that it has now",
	}
}

// supersede gives every other revision that once succeeded its place relative
// to r: the newer versions are downgraded, everything else is obsolete.
func supersede(ctx context.Context, q querier, r Revision) error {
	_, err := exec(ctx, q, `UPDATE revisions SET status = CASE WHEN EXISTS (
			SELECT 1 FROM versions old JOIN versions new ON new.product_id = old.product_id AND old.number > new.number AND new.number > 0
			WHERE old.id = revisions.version_id AND new.id = ?) THEN 'downgraded' ELSE 'obsolete' END
		WHERE deployment_id = ? AND number <> ? AND status IN ('successful', 'obsolete', 'downgraded')`,
		r.VersionID, r.DeploymentID, r.Number)
	return err
}

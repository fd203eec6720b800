package core

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/plan"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// dataOf tells what the way to what is wanted does to the deployment's volumes.
func (e *Engine) dataOf(ctx context.Context, d engine.Deployment, prior *serving, wanted desire) ([]plan.Data, error) {
	if prior == nil || prior.revision.VersionRef == wanted.version.Ref {
		return nil, nil
	}
	served, err := e.servedVersion(ctx, prior)
	if err != nil {
		return nil, err
	}
	m := plan.Move{
		Prior: prior.components(), Desired: wanted.components, From: prior.revision.VersionRef, To: wanted.version.Ref,
		Back: served != nil && catalog.IsDowngrade(served.Version, wanted.version), RestoreData: d.RestoreData,
	}
	if m.Revisions, m.Snapshots, err = e.dataHistory(ctx, d.ID); err != nil {
		return nil, err
	}
	return plan.DataOf(m)
}

// dataHistory is what decides which data there is to go back to.
func (e *Engine) dataHistory(ctx context.Context, deployment string) ([]engine.Revision, []engine.Snapshot, error) {
	records, err := e.store.ListRevisionsByDeployment(ctx, deployment)
	if err != nil {
		return nil, nil, err
	}
	known, err := e.store.ListSnapshotsByDeployment(ctx, deployment)
	if err != nil {
		return nil, nil, err
	}
	revisions := make([]engine.Revision, 0, len(records))
	for _, r := range records {
		revisions = append(revisions, r.Revision)
	}
	snapshots := make([]engine.Snapshot, 0, len(known))
	for _, s := range known {
		snapshots = append(snapshots, s.Snapshot)
	}
	return revisions, snapshots, nil
}

// rolloutData is what the rollout of that revision does to data. Once a volume holds
// other data than what served left in it, failing must set it back.
func (a *attempt) rolloutData(volumes []plan.Data, number int) rollout.Data {
	d := rollout.Data{Volumes: volumes, Name: a.op.id, SetBack: a.rec.RestoreData}
	for _, v := range volumes {
		d.SetBack = d.SetBack || v.Restore != nil
	}
	if a.prior == nil {
		return d
	}
	serving := a.prior.revision.Number
	d.Taken = func(ctx context.Context, bytes map[string]int64) error {
		return a.store.AddSnapshots(context.WithoutCancel(ctx), a.rec.ID, d.SetBack, taken(bytes, a.op.id, serving, number)...)
	}
	d.Back = func(ctx context.Context, bytes map[string]int64) error {
		return a.backAgain(ctx, taken(bytes, a.op.id+rollout.LeftSuffix, number, number))
	}
	return d
}

func taken(bytes map[string]int64, name string, revision, attempt int) []engine.Snapshot {
	var all []engine.Snapshot
	for volume, n := range bytes {
		all = append(all, engine.Snapshot{Volume: volume, Name: name, Revision: revision, Attempt: attempt, Bytes: n})
	}
	return all
}

// backAgain records that the volumes were set back, and what they held.
func (a *attempt) backAgain(ctx context.Context, left []engine.Snapshot) error {
	return a.store.Tx(ctx, func(tx *store.Tx) error {
		if err := tx.SettleSnapshots(ctx, a.rec.ID); err != nil {
			return err
		}
		return tx.AddSnapshots(ctx, a.rec.ID, false, left...)
	})
}

// due are the snapshots that volumes are to be set back to, since a run that changed
// data was interrupted, or failed and could not do it; and how to record that it is done.
func (a *attempt) due(ctx context.Context) (due []node.Snapshot, back rollout.Back, err error) {
	known, err := a.store.ListSnapshotsByDeployment(ctx, a.rec.ID)
	attempts := map[string]store.Snapshot{}
	for _, s := range known {
		if s.Due {
			due = append(due, node.Snapshot{Deployment: a.rec.ID, Volume: s.Volume, Name: s.Name})
			attempts[s.Volume] = s
		}
	}
	return due, func(ctx context.Context, bytes map[string]int64) error {
		var left []engine.Snapshot
		for volume := range bytes {
			s := attempts[volume]
			left = append(left, taken(map[string]int64{volume: bytes[volume]}, s.Name+rollout.LeftSuffix, s.Attempt, s.Attempt)...)
		}
		return a.backAgain(ctx, left)
	}, err
}

// pruneSnapshots removes those that no way back could lead to. The store forgets
// them first: it must not promise what is gone.
func (a *attempt) pruneSnapshots(ctx context.Context, volumes []plan.Data) {
	err := a.tryPruneSnapshots(ctx, volumes)
	if err != nil {
		a.log.WarnContext(ctx, "prune snapshots", "deployment", a.rec.ID, "error", err.Error())
	}
}

func (a *attempt) tryPruneSnapshots(ctx context.Context, volumes []plan.Data) error {
	known, err := a.store.ListSnapshotsByDeployment(ctx, a.rec.ID)
	if err != nil || len(known)+len(volumes) == 0 {
		return err
	}
	revisions, snapshots, err := a.dataHistory(ctx, a.rec.ID)
	if err != nil {
		return err
	}
	due := map[engine.Snapshot]bool{}
	for _, s := range known {
		due[s.Snapshot] = s.Due
	}
	kept := plan.KeptSnapshots(snapshots, func(s engine.Snapshot) bool { return due[s] }, revisions, a.rec.KeepSnapshots)
	if err := a.store.KeepSnapshots(ctx, a.rec.ID, kept); err != nil {
		return err
	}
	var keep []node.Snapshot
	for _, s := range kept {
		keep = append(keep, node.Snapshot{Deployment: a.rec.ID, Volume: s.Volume, Name: s.Name})
	}
	return a.driver.PruneSnapshots(ctx, a.rec.ID, keep)
}

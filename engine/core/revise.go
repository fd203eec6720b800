package core

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/plan"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// Causes of revisions.
const (
	causeCreate   = "create"
	causeUpdate   = "update"
	causeRepair   = "repair"
	causeRollback = "rollback"
)

// unchanged reports whether nothing of what runs has to change: neither an
// instance, nor the configuration that the serving revision stands for.
func (a *attempt) unchanged(wanted desire, steps plan.Plan) bool {
	if a.prior == nil || a.prior.revision.VersionRef != wanted.version.Ref || a.prior.revision.Version != a.rec.Version {
		return false
	}
	for _, s := range steps.Steps {
		if s.Action != plan.Keep {
			return false
		}
	}
	return len(changedComponents(a.prior.components(), wanted.components)) == 0
}

// changedComponents names the components whose effective configuration differs.
func changedComponents(prior, wanted map[string]catalog.Effective) []string {
	var names []string
	for name, w := range wanted {
		p, had := prior[name]
		if !had || p.ConfigHash != w.ConfigHash || p.Replicas != w.Replicas || !p.SameRoutes(w) || !slices.Equal(p.Component.DependsOn, w.Component.DependsOn) {
			names = append(names, name)
		}
	}
	for name := range prior {
		if _, stays := wanted[name]; !stays {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// keepSpec stores what changes nothing that runs: protection, strategy, secrets
// that no component takes.
func (a *attempt) keepSpec(ctx context.Context) error {
	return a.store.Tx(ctx, func(tx *store.Tx) error { return a.writeSpec(ctx, tx) })
}

func (a *attempt) writeSpec(ctx context.Context, tx *store.Tx) error {
	if _, err := tx.UpdateDeployment(ctx, a.rec); err != nil {
		return err
	}
	if a.secrets == nil {
		return nil
	}
	return tx.ReplaceSecrets(ctx, engine.KindDeployment, a.rec.ID, a.secrets)
}

// revise makes a revision and rolls it out.
func (a *attempt) revise(ctx context.Context, wanted desire, steps plan.Plan, observed []node.Instance, traits plan.Traits) error {
	before, err := a.found(ctx)
	if err != nil {
		return a.failed(err)
	}
	config, err := a.encode(wanted, before)
	if err != nil {
		return err
	}
	if err := a.noteVolumes(ctx, wanted); err != nil {
		return err
	}
	r, err := a.store.CreateRevision(ctx, store.Revision{
		Revision: engine.Revision{
			DeploymentID: a.rec.ID, VersionRef: wanted.version.Ref, VersionName: wanted.version.Name,
			Cause: a.causeOf(ctx, wanted), Images: imagesOf(wanted.components), OperationID: a.op.id,
		},
		Version: a.rec.Version, Config: config,
		Changes: plan.Changes(a.prior.components(), wanted.components, traits),
	})
	if err != nil {
		return err
	}
	target, err := a.target(ctx, a.rec, wanted.version.Ref, r.Number, wanted.components, wanted.secrets)
	if err == nil {
		err = a.awaitPruning(ctx, a.world.node)
	}
	if err == nil {
		err = a.runner.Run(ctx, rollout.Input{
			Deployment: a.rec.ID, OperationID: a.op.id, Plan: steps, Target: target, Prior: a.priorT,
			Observed: observed, Strategy: a.strategy, VolumesBefore: before, Data: a.rolloutData(traits.Data, r.Number),
			Commit: func(ctx context.Context) error { return a.commit(ctx, r.Number, wanted) },
		})
	}
	if err == nil {
		return nil
	}
	closing := a.store.FinishRevision(context.WithoutCancel(ctx), a.rec.ID, r.Number, engine.RevisionFailed, err.Error())
	if closing != nil {
		return errors.Join(err, closing)
	}
	return err
}

// found lists the volumes that a first deployment finds, never nil then: they
// are of an earlier deployment of that name and stay whatever happens.
func (a *attempt) found(ctx context.Context) ([]string, error) {
	if a.prior != nil {
		return nil, nil
	}
	volumes, err := a.driver.Volumes(ctx, a.rec.ID)
	return append([]string{}, volumes...), err
}

// commit makes the revision the serving one, together with the wish it fulfils.
func (a *attempt) commit(ctx context.Context, number int, wanted desire) error {
	return a.store.Tx(ctx, func(tx *store.Tx) error {
		if err := tx.CommitRevision(ctx, a.rec.ID, number); err != nil {
			return err
		}
		if err := tx.SettleSnapshots(ctx, a.rec.ID); err != nil {
			return err
		}
		if err := tx.NoteServing(ctx, a.rec.ID, number, wanted.runs()); err != nil {
			return err
		}
		if a.claims(wanted) {
			if err := claimPlaces(ctx, tx.Queries, a.rec.ID, wanted.components); err != nil {
				return err
			}
		}
		return a.writeSpec(ctx, tx)
	})
}

// causeOf says why a revision is made.
func (a *attempt) causeOf(ctx context.Context, wanted desire) string {
	if a.prior == nil {
		return causeCreate
	}
	id, _, err := engine.SplitRef(a.prior.revision.VersionRef)
	if err != nil {
		return causeUpdate
	}
	served, err := a.store.Version(ctx, id)
	switch {
	case err == nil && wanted.version.Number > 0 && wanted.version.Number < served.Number:
		return causeRollback
	case len(changedComponents(a.prior.components(), wanted.components)) == 0 && a.prior.revision.VersionRef == wanted.version.Ref:
		return causeRepair
	}
	return causeUpdate
}

func imagesOf(components map[string]catalog.Effective) map[string]string {
	images := map[string]string{}
	for name, c := range components {
		images[name] = c.Image
	}
	return images
}

// eachComponent joins what check answers for every component, in order.
func eachComponent(components map[string]catalog.Effective, check func(string, catalog.Effective) error) error {
	var failed []error
	for _, name := range slices.Sorted(maps.Keys(components)) {
		failed = append(failed, check(name, components[name]))
	}
	return errors.Join(failed...)
}

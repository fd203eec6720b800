package core

import (
	"cmp"
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// A volume outlives the version that declares it: a rollback wants it back. What is
// noted here is how the last version that had it wants it to end.

// noteVolumes notes what becomes of the volumes of what serves, and of those that
// a rollout brings: when it fails they are still there.
func (a *attempt) noteVolumes(ctx context.Context, wanted desire) error {
	if err := a.store.NoteVolumes(ctx, a.rec.ID, onDestroy(a.prior.components())); err != nil {
		return err
	}
	return a.store.ForeseeVolumes(ctx, a.rec.ID, onDestroy(wanted.components))
}

// perishable names the volumes that go with the deployment.
func (e *Engine) perishable(ctx context.Context, id string) ([]string, error) {
	s, err := e.servingOf(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := e.store.NoteVolumes(ctx, id, onDestroy(s.components())); err != nil {
		return nil, err
	}
	return e.store.ListVolumesByDeployment(ctx, id, catalog.VolumeDelete)
}

// onDestroy tells by component/volume what becomes of each.
func onDestroy(components map[string]catalog.Effective) map[string]string {
	all := map[string]string{}
	for name, c := range components {
		for volume, v := range c.Component.Volumes {
			all[name+"/"+volume] = cmp.Or(v.OnDestroy, catalog.VolumeRetain)
		}
	}
	return all
}

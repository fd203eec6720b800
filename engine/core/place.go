package core

import (
	"context"
	"errors"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// placed checks a version against every rule of the catalog and fills in what
// the engine computes: digest, ref, and its place in the product's chain. It
// answers what is stored under the id beside it, nil when nothing is.
func (e *Engine) placed(ctx context.Context, v engine.Version, planned map[string]engine.Version) (engine.Version, *store.VersionRecord, error) {
	if err := errors.Join(catalog.ValidateVersion(v), catalog.ValidateComponents(v.Components)); err != nil {
		return v, nil, err
	}
	v.Digest = catalog.Digest(v.Components)
	v.Ref = catalog.Ref(v.ID, v.Digest)
	siblings, err := e.store.ListVersionsByProduct(ctx, v.ProductID)
	if err != nil {
		return v, nil, err
	}
	stored, chain := splitVersions(siblings, v.ID)
	if stored != nil {
		return v, stored, e.placeStored(ctx, &v, stored)
	}
	if v.ParentID != "" {
		chain = withPlanned(chain, v, planned)
	}
	spot, err := catalog.Place(chain, v, movable(siblings))
	v.Number, v.ParentID = spot.Number, spot.ParentID
	return v, nil, err
}

// withPlanned adds the product's versions that are planned and not stored yet.
func withPlanned(chain []engine.Version, v engine.Version, planned map[string]engine.Version) []engine.Version {
	for id, p := range planned {
		stored := slices.ContainsFunc(chain, func(s engine.Version) bool { return s.ID == id })
		if p.ProductID == v.ProductID && id != v.ID && !stored {
			p.Number = 0 // the order in which they are created decides
			chain = append(chain, p)
		}
	}
	return chain
}

func mayMove(v store.VersionRecord) bool {
	return !v.Confirmed && !v.Sealed && !v.Retired && !v.ParentGiven
}

// movable are the versions that nobody has seen the place of: created in this
// run, or left by an interrupted one, without a parent of their own.
func movable(siblings []store.VersionRecord) func(id string) bool {
	may := map[string]bool{}
	for _, s := range siblings {
		may[s.ID] = mayMove(s)
	}
	return func(id string) bool { return may[id] }
}

// placeStored keeps the place that a version has; what is sealed must stay.
func (e *Engine) placeStored(ctx context.Context, v *engine.Version, stored *store.VersionRecord) error {
	if v.ParentID != "" && v.ParentID != stored.ParentID {
		return &engine.Error{
			Class: engine.ErrConflict, Field: "parent_id",
			Reason: "version " + v.ID + " has another parent in its product's chain",
			Hint:   "leave parent_id out, or give this version another name",
		}
	}
	v.Number, v.ParentID = stored.Number, stored.ParentID
	status, err := e.standing(ctx, *stored)
	if err != nil {
		return err
	}
	if err := catalog.AllowChange(catalog.Case{Status: status}, stored.Version, *v); err != nil {
		return err
	}
	v.Sealed = stored.Sealed
	return nil
}

func splitVersions(all []store.VersionRecord, id string) (*store.VersionRecord, []engine.Version) {
	var own *store.VersionRecord
	var chain []engine.Version
	for i := range all {
		if all[i].ID == id {
			own = &all[i]
			continue
		}
		chain = append(chain, all[i].Version)
	}
	return own, chain
}

// createVersion stores a version that was placed. Its parent, when it is the
// newest, is looked for again now that nobody else can write: versions are
// created side by side.
func (e *Engine) createVersion(ctx context.Context, v engine.Version, parentGiven bool) (engine.Version, error) {
	return e.writeVersion(ctx, v, func(q store.Queries, ctx context.Context, v engine.Version) (store.VersionRecord, error) {
		siblings, err := q.ListVersionsByProduct(ctx, v.ProductID)
		if err != nil {
			return store.VersionRecord{}, err
		}
		if !parentGiven {
			v.ParentID = ""
		}
		spot, err := catalog.Place(versionsOf(siblings), v, movable(siblings))
		if err != nil {
			return store.VersionRecord{}, err
		}
		v.Number, v.ParentID = spot.Number, spot.ParentID
		return q.PlaceVersion(ctx, store.NewVersion{Version: v, ParentGiven: parentGiven, Before: spot.Before})
	})
}

func versionsOf(records []store.VersionRecord) []engine.Version {
	all := make([]engine.Version, len(records))
	for i, r := range records {
		all[i] = r.Version
	}
	return all
}

// writeVersion stores a version; the one that is preferred now takes the place
// of the one that was, in one transaction.
func (e *Engine) writeVersion(ctx context.Context, v engine.Version, write func(store.Queries, context.Context, engine.Version) (store.VersionRecord, error)) (engine.Version, error) {
	var written store.VersionRecord
	err := e.store.Tx(ctx, func(tx *store.Tx) error {
		if v.Status == engine.VersionPreferred {
			if err := tx.ClearPreferred(ctx, v.ProductID); err != nil {
				return err
			}
		}
		var err error
		written, err = write(tx.Queries, ctx, v)
		return err
	})
	return written.Version, err
}

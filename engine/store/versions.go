package store

import (
	"context"
	"fmt"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

var versions = table{engine.KindVersion, "versions", []string{
	"product_id", "name", "type", "parent_id", "changelog", "status", "components", "images", "number", "digest", "sealed", "retired", "parent_given",
}}

func versionRow(v engine.Version, parentGiven bool) []any {
	return []any{
		v.ProductID, v.Name, v.Type, orNull{&v.ParentID}, v.Changelog, v.Status,
		jsonColumn{v.Components}, jsonColumn{v.Images}, v.Number, v.Digest, v.Sealed, false, parentGiven,
	}
}

const selectVersions = "SELECT id, product_id, name, type, parent_id, changelog, status, components, images, number, digest, sealed, retired, parent_given, confirmed, created_at FROM versions"

func scanVersion(s scanner) (v VersionRecord, err error) {
	err = s.Scan(&v.ID, &v.ProductID, &v.Name, &v.Type, orNull{&v.ParentID}, &v.Changelog, &v.Status,
		jsonColumn{&v.Components}, jsonColumn{&v.Images}, &v.Number, &v.Digest, &v.Sealed, &v.Retired, &v.ParentGiven, &v.Confirmed, nanos{&v.CreatedAt})
	v.Ref = v.ID + "@" + v.Digest
	return v, err
}

// CreateVersion is PlaceVersion with the parent that v names.
func (s Queries) CreateVersion(ctx context.Context, v engine.Version) (VersionRecord, error) {
	return s.PlaceVersion(ctx, NewVersion{Version: v, ParentGiven: true})
}

// PlaceVersion makes the version, adopts one that was never confirmed, or
// brings back a retired one. Of a sealed one the content stays: the same digest
// keeps its images, number and parent, another digest is ErrConflict.
func (s Queries) PlaceVersion(ctx context.Context, v NewVersion) (VersionRecord, error) {
	now := s.run.now()
	return s.writeVersion(ctx, v.ID, func(q querier) error {
		if err := products.parent(ctx, q, "product_id", v.ProductID); err != nil {
			return err
		}
		present, err := findVersion(ctx, q, v.ID)
		if err != nil {
			return err
		}
		if present == nil {
			v.Sealed = false
			return insertVersion(ctx, q, nanos{&now}, v)
		}
		if present.Confirmed && !present.Retired {
			return exists(engine.KindVersion, v.ID)
		}
		if err := replaceVersion(ctx, q, *present, v.Version); err != nil {
			return err
		}
		_, err = exec(ctx, q, "UPDATE versions SET confirmed = FALSE WHERE id = ?", v.ID)
		return err
	})
}

// insertVersion puts a new version at its place in the chain: what it comes
// before moves up by one, and is its child then.
func insertVersion(ctx context.Context, q querier, now nanos, v NewVersion) error {
	if v.Before != "" {
		if err := makeRoom(ctx, q, v); err != nil {
			return err
		}
	}
	if err := checkPlace(ctx, q, v.Version); err != nil {
		return err
	}
	if err := versions.create(ctx, q, now, v.ID, versionRow(v.Version, v.ParentGiven)); err != nil || v.Before == "" {
		return err
	}
	_, err := exec(ctx, q, "UPDATE versions SET parent_id = ? WHERE id = ?", v.ID, v.Before)
	return err
}

func makeRoom(ctx context.Context, q querier, v NewVersion) error {
	if _, err := exec(ctx, q, "UPDATE versions SET parent_id = NULL WHERE id = ?", v.Before); err != nil {
		return err
	}
	following, err := all(ctx, q, scanString, "SELECT id FROM versions WHERE product_id = ? AND number >= ? ORDER BY number DESC", v.ProductID, v.Number)
	if err != nil {
		return err
	}
	for _, id := range following { // from the end: a number is never there twice
		if _, err := exec(ctx, q, "UPDATE versions SET number = number + 1 WHERE id = ?", id); err != nil {
			return err
		}
	}
	return nil
}

// Version reads one version, also a retired one.
func (s Queries) Version(ctx context.Context, id string) (VersionRecord, error) {
	return one(ctx, s.run.read(), engine.NotFound("version", id), scanVersion, selectVersions+" WHERE id = ?", id)
}

// UpdateVersion changes a version; of a sealed one only changelog and status.
// A retired one is ErrNotFound.
func (s Queries) UpdateVersion(ctx context.Context, v engine.Version) (VersionRecord, error) {
	return s.writeVersion(ctx, v.ID, func(q querier) error {
		present, err := findVersion(ctx, q, v.ID)
		if err != nil {
			return err
		}
		if present == nil || present.Retired {
			return engine.NotFound("version", v.ID)
		}
		return replaceVersion(ctx, q, *present, v)
	})
}

// DeleteVersion deletes a version, or retires it when it is sealed, has a
// child, or a revision refers to it.
func (s Queries) DeleteVersion(ctx context.Context, id string) (retired bool, err error) {
	now := s.run.now()
	err = s.run.write(ctx, func(q querier) error {
		present, err := findVersion(ctx, q, id)
		if err != nil {
			return err
		}
		if present == nil || present.Retired {
			return engine.NotFound("version", id)
		}
		users, err := one(ctx, q, errNoRow, scanInt,
			"SELECT (SELECT COUNT(*) FROM versions WHERE parent_id = ?) + (SELECT COUNT(*) FROM revisions WHERE version_id = ?)", id, id)
		if err != nil {
			return err
		}
		if retired = present.Sealed || users > 0; !retired {
			return versions.remove(ctx, q, id)
		}
		_, err = exec(ctx, q, "UPDATE versions SET retired = TRUE, retired_at = ? WHERE id = ?", nanos{&now}, id)
		return err
	})
	return retired && err == nil, err
}

// ListVersionsByProduct reads all versions of a product, retired ones too, by
// number and then name.
func (s Queries) ListVersionsByProduct(ctx context.Context, productID string) ([]VersionRecord, error) {
	return all(ctx, s.run.read(), scanVersion, selectVersions+" WHERE product_id = ? ORDER BY number, name", productID)
}

// ClearPreferred makes the product's preferred version active, if it has one.
func (s Queries) ClearPreferred(ctx context.Context, productID string) error {
	return s.run.write(ctx, func(q querier) error {
		_, err := exec(ctx, q, "UPDATE versions SET status = 'active' WHERE product_id = ? AND status = 'preferred'", productID)
		return err
	})
}

func (s Queries) writeVersion(ctx context.Context, id string, change func(querier) error) (v VersionRecord, err error) {
	err = s.run.write(ctx, func(q querier) error {
		if err := change(q); err != nil {
			return err
		}
		v, err = one(ctx, q, engine.NotFound("version", id), scanVersion, selectVersions+" WHERE id = ?", id)
		return err
	})
	return v, err
}

// findVersion is nil when there is none.
func findVersion(ctx context.Context, q querier, id string) (*VersionRecord, error) {
	list, err := all(ctx, q, scanVersion, selectVersions+" WHERE id = ?", id)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// replaceVersion writes v over present as far as sealing lets it.
func replaceVersion(ctx context.Context, q querier, present VersionRecord, v engine.Version) error {
	if present.Sealed {
		if present.Digest != v.Digest {
			return &engine.Error{
				Class: engine.ErrConflict, Field: "components",
				Reason: fmt.Sprintf("version %q is sealed by its first successful deployment: its content cannot change", v.ID),
				Hint:   "add a version with another name",
			}
		}
		kept := present.Version
		kept.Changelog, kept.Status = v.Changelog, v.Status
		if present.Pruned() {
			kept.Components = v.Components
		}
		v = kept
	}
	v.Sealed = present.Sealed
	if err := checkPlace(ctx, q, v); err != nil {
		return err
	}
	return versions.update(ctx, q, v.ID, versionRow(v, present.ParentGiven))
}

// checkPlace names the version that holds what v wants for itself; the unique
// indexes refuse the same without a name.
func checkPlace(ctx context.Context, q querier, v engine.Version) error {
	holder := func(where string, args ...any) (string, error) {
		found, err := all(ctx, q, scanString, "SELECT id FROM versions WHERE id <> ? AND product_id = ? AND "+where,
			append([]any{v.ID, v.ProductID}, args...)...)
		if err != nil || len(found) == 0 {
			return "", err
		}
		return found[0], nil
	}
	if v.ParentID != "" {
		if err := versions.parent(ctx, q, "parent_id", v.ParentID); err != nil {
			return err
		}
		if child, err := holder("parent_id = ?", v.ParentID); err != nil || child != "" {
			return taken(err, "parent_id", fmt.Sprintf("version %q has a child already: %q", v.ParentID, child), "use that one as the parent")
		}
	}
	if v.Number > 0 {
		if other, err := holder("number = ?", v.Number); err != nil || other != "" {
			return taken(err, "", fmt.Sprintf("version %q has the number %d already", other, v.Number), "plan again: another run added a version meanwhile")
		}
	}
	if v.Status == engine.VersionPreferred {
		if other, err := holder("status = 'preferred' AND NOT retired"); err != nil || other != "" {
			return taken(err, "status", fmt.Sprintf("version %q is preferred already", other), "give that one another status first")
		}
	}
	return nil
}

// taken is err, or the conflict when there is none.
func taken(err error, field, reason, hint string) error {
	if err != nil {
		return err
	}
	return &engine.Error{Class: engine.ErrConflict, Field: field, Reason: reason, Hint: hint}
}

package store_test

import (
	"context"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

func TestSealedContentStays(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	must[store.DeploymentRecord](t)(s.CreateDeployment(ctx, deployment("shop")))
	deploy(t, s, "acme/production/shop", "1.0.0")
	ok(t, s.Confirm(ctx, engine.KindVersion, "acme/shop/1.0.0"))
	sealed := must[store.VersionRecord](t)(s.Version(ctx, "acme/shop/1.0.0"))
	if !sealed.Sealed {
		t.Fatal("a successful deployment did not seal its version")
	}

	changed := sealed.Version
	changed.Digest = "sha256:other"
	_, err := s.UpdateVersion(ctx, changed)
	refused(t, err, engine.ErrConflict, "components", "sealed")

	edited := sealed.Version
	edited.Changelog, edited.Status = "better words", engine.VersionDeprecated
	edited.Images, edited.Number, edited.Sealed = map[string]string{"api": "moved"}, 99, false
	got := must[store.VersionRecord](t)(s.UpdateVersion(ctx, edited))
	want := sealed
	want.Changelog, want.Status = "better words", engine.VersionDeprecated
	same(t, want, got)

	if retired := must[bool](t)(s.DeleteVersion(ctx, sealed.ID)); !retired {
		t.Error("a sealed version was deleted")
	}
	if v := must[store.VersionRecord](t)(s.Version(ctx, sealed.ID)); !v.Retired {
		t.Error("a deleted sealed version is not retired")
	}
	_, err = s.UpdateVersion(ctx, edited)
	refused(t, err, engine.ErrNotFound)
	_, err = s.DeleteVersion(ctx, sealed.ID)
	refused(t, err, engine.ErrNotFound)
	_, err = s.CreateVersion(ctx, changed)
	refused(t, err, engine.ErrConflict, "sealed")

	back := must[store.VersionRecord](t)(s.CreateVersion(ctx, edited))
	if back.Retired || back.Confirmed || !back.Sealed || back.Number != 1 || back.Images["api"] != sealed.Images["api"] {
		t.Errorf("brought back it is %+v", back)
	}
}

// TestWhatSucceedsIsSealed: a version that is changed while it is rolled out does
// not succeed with what it was.
func TestWhatSucceedsIsSealed(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	const id = "acme/production/shop"
	must[store.DeploymentRecord](t)(s.CreateDeployment(ctx, deployment("shop")))
	deploy(t, s, id, "1.0.0")
	r := start(t, s, id, "2.0.0")
	changed := must[store.VersionRecord](t)(s.Version(ctx, "acme/shop/2.0.0")).Version
	changed.Digest = "sha256:other"
	must[store.VersionRecord](t)(s.UpdateVersion(ctx, changed))
	refused(t, s.CommitRevision(ctx, id, r.Number), engine.ErrConflict, "version", "acme/shop/2.0.0", "while it was rolled out")
	if got := statuses(t, s, id); got != "1:successful 2:in_progress " {
		t.Errorf("revisions are %q", got)
	}
	if v := must[store.VersionRecord](t)(s.Version(ctx, "acme/shop/2.0.0")); v.Sealed {
		t.Error("content that never succeeded is sealed")
	}
}

func TestDeletedOrRetired(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	if retired := must[bool](t)(s.DeleteVersion(ctx, "acme/shop/3.0.0")); retired {
		t.Error("a version that nothing needs was retired")
	}
	_, err := s.Version(ctx, "acme/shop/3.0.0")
	refused(t, err, engine.ErrNotFound)
	if retired := must[bool](t)(s.DeleteVersion(ctx, "acme/shop/1.0.0")); !retired {
		t.Error("a version with a child was deleted")
	}
	must[store.DeploymentRecord](t)(s.CreateDeployment(ctx, deployment("shop")))
	r := start(t, s, "acme/production/shop", "2.0.0")
	ok(t, s.FinishRevision(ctx, r.DeploymentID, r.Number, engine.RevisionFailed, "boom"))
	if retired := must[bool](t)(s.DeleteVersion(ctx, "acme/shop/2.0.0")); !retired {
		t.Error("a version that a revision refers to was deleted")
	}
	refused(t, s.DeleteProduct(ctx, "acme/shop"), engine.ErrConflict, "acme/production/shop")
	ok(t, s.DeleteDeployment(ctx, "acme/production/shop"))
	ok(t, s.DeleteProduct(ctx, "acme/shop")) // retired versions are the product's own
}

func TestSimpleProductTakesItsVersionAlong(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	must[engine.Product](t)(s.CreateProduct(ctx, engine.Product{ID: "acme/blog", TeamID: "acme", Name: "blog", Type: engine.ProductSimple}))
	v := version("acme/blog/rolling", 0)
	v.Type = engine.VersionRolling
	must[store.VersionRecord](t)(s.CreateVersion(ctx, v))
	ok(t, s.DeleteProduct(ctx, "acme/blog"))
	_, err := s.Version(ctx, v.ID)
	refused(t, err, engine.ErrNotFound)
	refused(t, s.DeleteProduct(ctx, "acme/shop"), engine.ErrConflict, "version acme/shop/1.0.0")
}

func TestPlacesInTheChain(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	second := version("acme/shop/2.1.0", 4)
	second.ParentID = "acme/shop/1.0.0"
	_, err := s.CreateVersion(ctx, second)
	refused(t, err, engine.ErrConflict, "parent_id", "acme/shop/2.0.0")
	second.ParentID = "acme/shop/0.0.0"
	_, err = s.CreateVersion(ctx, second)
	refused(t, err, engine.ErrInvalid, "parent_id", "acme/shop/0.0.0")
	second.ParentID, second.Number = "acme/shop/3.0.0", 3
	_, err = s.CreateVersion(ctx, second)
	refused(t, err, engine.ErrConflict, "number 3", "acme/shop/3.0.0")
	second.Number, second.Status = 4, engine.VersionPreferred
	must[store.VersionRecord](t)(s.CreateVersion(ctx, second))
	third := version("acme/shop/1.0.0", 1)
	third.Status = engine.VersionPreferred
	_, err = s.UpdateVersion(ctx, third)
	refused(t, err, engine.ErrConflict, "status", "acme/shop/2.1.0")
	ok(t, s.ClearPreferred(ctx, "acme/shop"))
	if v := must[store.VersionRecord](t)(s.UpdateVersion(ctx, third)); v.Status != engine.VersionPreferred {
		t.Errorf("status is %q", v.Status)
	}
}

// What a version is put before moves up by one, with all that follow.
func TestPlaceBefore(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	between := version("acme/shop/1.5.0", 2)
	between.ParentID = "acme/shop/1.0.0"
	placed := must[store.VersionRecord](t)(s.PlaceVersion(ctx, store.NewVersion{Version: between, Before: "acme/shop/2.0.0"}))
	if placed.ParentGiven {
		t.Error("its parent was not asked for")
	}
	first := version("acme/shop/0.1.0", 1)
	must[store.VersionRecord](t)(s.PlaceVersion(ctx, store.NewVersion{Version: first, Before: "acme/shop/1.0.0"}))
	parent := ""
	for i, v := range must[[]store.VersionRecord](t)(s.ListVersionsByProduct(ctx, "acme/shop")) {
		if v.Number != i+1 || v.ParentID != parent {
			t.Errorf("%s is number %d after %q, want %d after %q", v.ID, v.Number, v.ParentID, i+1, parent)
		}
		parent = v.ID
	}
	if parent != "acme/shop/3.0.0" {
		t.Errorf("the last is %s", parent)
	}
}

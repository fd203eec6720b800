package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

func TestIngressParts(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	for _, prefix := range []string{"b", "a"} {
		d := must[store.DeploymentRecord](t)(s.CreateDeployment(ctx, deployment(prefix)))
		ok(t, s.PutIngressPart(ctx, d.ID, []byte(`{"v":1}`)))
	}
	ok(t, s.PutIngressPart(ctx, "acme/production/b", []byte(`{"v":2}`)))
	refused(t, s.PutIngressPart(ctx, "acme/production/c", []byte(`{}`)), engine.ErrInvalid, "deployment_id")
	parts := func() []store.IngressPart { return must[[]store.IngressPart](t)(s.IngressParts(ctx, "acme/here")) }
	same(t, []store.IngressPart{{"acme/production/a", []byte(`{"v":1}`)}, {"acme/production/b", []byte(`{"v":2}`)}}, parts())
	same(t, 0, len(must[[]store.IngressPart](t)(s.IngressParts(ctx, "acme/there"))))
	for range 2 {
		ok(t, s.DeleteIngressPart(ctx, "acme/production/a"))
	}
	same(t, 1, len(parts()))
	ok(t, s.DeleteDeployment(ctx, "acme/production/b"))
	same(t, 0, len(parts()))
}

func claim(place string) catalog.Claim {
	return catalog.Claim{Place: place, Component: "api", Route: "web"}
}

func TestClaimPlaces(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	for _, prefix := range []string{"a", "b"} {
		must[store.DeploymentRecord](t)(s.CreateDeployment(ctx, deployment(prefix)))
	}
	const a, b = "acme/production/a", "acme/production/b"
	owners := func() map[string]string {
		all := map[string]string{}
		for _, c := range must[[]store.IngressClaim](t)(s.IngressClaims(ctx, "acme/here")) {
			all[c.Place] = c.DeploymentID
		}
		return all
	}
	ok(t, s.ClaimPlaces(ctx, a, []catalog.Claim{claim("x/"), claim("y/")}))
	ok(t, s.ClaimPlaces(ctx, b, []catalog.Claim{claim("z/")}))
	refused(t, s.ClaimPlaces(ctx, b, []catalog.Claim{claim("new/"), claim("y/")}), engine.ErrConflict,
		"version", "y/ on node acme/here", "belongs to route web of component api of deployment "+a)
	same(t, map[string]string{"x/": a, "y/": a, "z/": b}, owners())
	ok(t, s.ClaimPlaces(ctx, a, []catalog.Claim{claim("x/")}))
	ok(t, s.ClaimPlaces(ctx, b, []catalog.Claim{claim("y/"), claim("z/")}))
	same(t, map[string]string{"x/": a, "y/": b, "z/": b}, owners())
	refused(t, s.ClaimPlaces(ctx, "acme/production/c", nil), engine.ErrNotFound)
	ok(t, s.DeleteDeployment(ctx, b))
	same(t, map[string]string{"x/": a}, owners())
}

// Of many that want a place at once, one gets it.
func TestOnePlaceHasOneOwner(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	const n = 8
	failed := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		d := must[store.DeploymentRecord](t)(s.CreateDeployment(ctx, deployment(fmt.Sprint("d", i))))
		all.Go(func() { failed[i] = s.ClaimPlaces(ctx, d.ID, []catalog.Claim{claim("x/")}) })
	}
	all.Wait()
	won := 0
	for _, err := range failed {
		if err == nil {
			won++
		} else if !errors.Is(err, engine.ErrConflict) {
			t.Error(err)
		}
	}
	same(t, 1, won)
}

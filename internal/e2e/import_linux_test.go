package e2e

import (
	"slices"
	"testing"
)

// keys are what each object of the shop is imported by.
var keys = [][2]string{
	{"slipway_deployment.shop", "acme/staging/shop"},
	{"slipway_version.shop", "acme/shop/1.0.0"},
	{"slipway_environment.staging", "acme/staging"},
	{"slipway_product.shop", "acme/shop"},
	{"slipway_registry.main", "acme/main"},
	{"slipway_node.here", "acme/here"},
	{"slipway_team.acme", "acme"},
}

// TestImport takes everything out of the state and back in by its human key.
func TestImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop)
	w.apply()
	w.nothingToDo()
	db, api := w.pidOf("db"), w.pidOf("api")
	for _, k := range keys {
		w.must("state", "rm", k[0])
	}
	for _, k := range slices.Backward(keys) {
		w.must("import", "-input=false", "-no-color", k[0], k[1])
	}
	w.nothingToDo()
	w.apply()
	if w.pidOf("db") != db || w.pidOf("api") != api {
		t.Error("importing has replaced instances")
	}
	w.expectSettled(both)
}

package deployment_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// What vanishes behind Terraform's back is named in drift and planned, and
// apply repairs just that.
func TestAccDriftRepair(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	image := w.app("1")
	config := w.config("1.0.0", api(image)+component("store", image, "replicas = 2"))
	web := &site{t: t}
	var before []string
	w.run(
		resource.TestStep{Config: config, Check: resource.ComposeTestCheckFunc(web.learn("api/http"), w.remember(&before))},
		resource.TestStep{
			PreConfig:          func() { w.removeOne("api") },
			RefreshState:       true,
			ExpectNonEmptyPlan: true,
			RefreshPlanChecks: resource.RefreshPlanChecks{PostRefresh: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
				changes("api: repair (instance is gone)", "store: keep"),
			}},
			Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr(address, "drift.0", "api: instance is gone"),
				resource.TestCheckResourceAttr(address, "health", "unhealthy")),
		},
		resource.TestStep{
			Config: config,
			ConfigStateChecks: []statecheck.StateCheck{
				state("drift", list()), state("health", knownvalue.StringExact("healthy"))},
			Check: resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "1"), w.replaced(&before, "api"), w.kept(&before, "store")),
		},
		unchanged(config),
	)
}

// Scaling changes the number of instances, not those that are there.
func TestAccScaleInPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	image := w.app("1")
	replicas := func(n string) string {
		return w.config("1.0.0", api(image), `components = { api = { replicas = `+n+` } }`)
	}
	ready := func(n string) resource.TestCheckFunc {
		return resource.TestCheckResourceAttr(address, "instances.api.ready", n)
	}
	var before []string
	w.run(
		resource.TestStep{Config: replicas("1"), Check: resource.ComposeTestCheckFunc(ready("1"), w.remember(&before))},
		resource.TestStep{
			Config:           replicas("3"),
			ConfigPlanChecks: planned(changes("api: scale 1 to 3 instances")),
			Check:            resource.ComposeTestCheckFunc(ready("3"), w.kept(&before, "api")),
		},
		resource.TestStep{
			Config:           replicas("2"),
			ConfigPlanChecks: planned(changes("api: scale 3 to 2 instances")),
			Check:            ready("2"),
		},
		unchanged(replicas("2")),
	)
}

// removeOne takes an instance of the component from the node.
func (w *world) removeOne(component string) {
	w.t.Helper()
	for _, name := range w.instances() {
		if strings.HasPrefix(name, component+"-") {
			acctest.RemoveInstance(w.t, w.dir, "acme/staging/shop", name)
			return
		}
	}
	w.t.Fatalf("no instance of %s to remove", component)
}

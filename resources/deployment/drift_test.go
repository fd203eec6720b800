package deployment_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
)

// What vanishes or is changed behind Terraform's back is named in drift and
// planned, and apply repairs just that.
func TestAccDriftRepair(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		image := w.app("1")
		config := w.config("1.0.0", api(image)+component("store", image, "replicas = 2"))
		web := w.site()
		var before []string
		var altered string // what drift says of an instance of store
		w.run(
			resource.TestStep{Config: config, Check: resource.ComposeTestCheckFunc(web.learn("api/http"), w.remember(&before))},
			resource.TestStep{
				PreConfig:          func() { w.Remove(t, w.instanceOf("api")) },
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
				Check: resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "1"),
					w.replaced(&before, "api"), w.kept(&before, "store"), w.remember(&before)),
			},
			resource.TestStep{
				PreConfig: func() {
					one := w.instanceOf("store")
					altered = "store: instance " + one + " " + w.Alter(t, one)
				},
				RefreshState:       true,
				ExpectNonEmptyPlan: true,
				Check:              resource.TestCheckResourceAttrPtr(address, "drift.0", &altered),
			},
			resource.TestStep{
				Config:            config,
				ConfigStateChecks: []statecheck.StateCheck{state("drift", list()), state("health", knownvalue.StringExact("healthy"))},
				Check:             resource.ComposeTestCheckFunc(web.answers("/", "1"), w.kept(&before, "api")),
			},
			unchanged(config),
		)
	})
}

// Scaling changes the number of instances, not those that are there.
func TestAccScaleInPlace(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		image := w.app("1")
		replicas := func(n string) string {
			return w.config("1.0.0", component("api", image, w.many()), `components = { api = { replicas = `+n+` } }`)
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
	})
}

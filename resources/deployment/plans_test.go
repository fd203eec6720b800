package deployment_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

// The life of a deployment, told by its plans.
func TestAccChanges(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		one, two := w.app("1"), w.app("2")
		store := component("store", one)
		web := w.site()
		var during *visitor

		first := w.config("1.0.0", api(one, `depends_on = ["store"]`)+store)
		second := w.config("1.1.0", api(two, `depends_on = ["store"]`)+store)
		scaled := w.config("1.1.0", api(two, `depends_on = ["store"]`)+store, `components = { store = { replicas = 3 } }`)
		variable := w.config("1.1.0", api(two, `depends_on = ["store"]`)+store, `variables = { FLAG = "on" }`)
		lonely := w.config("1.2.0", api(two), `variables = { FLAG = "on" }`)

		w.run(
			resource.TestStep{
				Config: first,
				ConfigPlanChecks: planned(
					plancheck.ExpectResourceAction(address, plancheck.ResourceActionCreate),
					plancheck.ExpectKnownValue(address, tfjsonpath.New("id"), knownvalue.StringExact(w.Deployment())),
					changes("api: create 1 instance (image sha256:…", "store: create 1 instance (image sha256:…")),
				Check: resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "1")),
			},
			unchanged(first),
			resource.TestStep{
				PreConfig: func() { during = web.visit() },
				Config:    second,
				ConfigPlanChecks: planned(
					plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
					changes("api: replace 1 instance, "+w.swap()+" (image sha256:…", "store: keep")),
				Check: resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "2")),
			},
			resource.TestStep{
				PreConfig: func() { during.saw("1", "2") },
				Config:    scaled,
				ConfigPlanChecks: planned(
					plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
					changes("api: keep", "store: scale 1 to 3 instances")),
			},
			resource.TestStep{
				Config: variable,
				ConfigPlanChecks: planned(
					changes("api: replace 1 instance, "+w.swap()+" (env)", "store: replace 3 instances with 1, start-first (env)")),
				Check: web.answers("/env", "FLAG=on"),
			},
			resource.TestStep{
				Config:           lonely,
				ConfigPlanChecks: planned(changes("api: keep", "store: remove 1 instance")),
			},
			unchanged(lonely),
		)
	})
}

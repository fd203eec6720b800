package deployment_test

import (
	"errors"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
)

// Stopped and running again, restarted on demand, and left alone where only
// what is Terraform's own changes.
func TestAccDesiredStateAndRestart(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		components := api(w.app("1"))
		web := w.site()
		running := w.config("1.0.0", components)
		stopped := w.config("1.0.0", components, `desired_state = "stopped"`)
		restarted := w.config("1.0.0", components, `restart_trigger = "once more"`)
		patient := w.config("1.0.0", components, `restart_trigger = "once more"`, `timeouts = { update = "7m" }`)
		var before []string
		w.run(
			resource.TestStep{Config: running, Check: web.learn("api/http")},
			resource.TestStep{
				Config:           stopped,
				ConfigPlanChecks: planned(changes("api: scale 1 to 0 instances")),
				Check: func(*terraform.State) error {
					if text, err := web.get("/"); err == nil {
						return errors.New("a stopped deployment answers " + text)
					}
					return nil
				},
			},
			unchanged(stopped),
			resource.TestStep{
				Config:            running,
				ConfigPlanChecks:  planned(changes("api: scale 0 to 1 instance")),
				ConfigStateChecks: []statecheck.StateCheck{state("health", knownvalue.StringExact("healthy"))},
				Check:             resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "1"), w.remember(&before)),
			},
			resource.TestStep{
				Config:           restarted,
				ConfigPlanChecks: planned(changes("api: replace 1 instance, " + w.swap() + " (restart_trigger)")),
				Check:            resource.ComposeTestCheckFunc(web.answers("/", "1"), w.replaced(&before, "api"), w.remember(&before)),
			},
			resource.TestStep{
				Config: patient,
				ConfigPlanChecks: planned(
					plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
					plancheck.ExpectKnownValue(address, tfjsonpath.New("operation_id"), knownvalue.NotNull())),
				Check: w.kept(&before, "api"),
			},
			unchanged(patient),
		)
	})
}

// Going back to an older version, by the same name with the same content, runs
// the same digests again, wherever the tags point now.
func TestAccRollback(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		old, next := w.app("1"), w.app("2")
		web := w.site()
		var ref, image string
		w.run(
			resource.TestStep{
				Config: w.config("1.0.0", api(old)),
				Check: resource.ComposeTestCheckFunc(web.learn("api/http"),
					keep("version", &ref), keep("instances.api.image", &image)),
			},
			resource.TestStep{
				Config: w.config("1.1.0", api(next)),
				Check:  resource.ComposeTestCheckFunc(web.answers("/", "2"), same("previous_version", &ref)),
			},
			resource.TestStep{
				PreConfig: func() { w.app("1", "VERSION", "moved") },
				Config:    w.config("1.0.0", api(old)),
				ConfigPlanChecks: planned(
					plancheck.ExpectResourceAction("slipway_version.shop", plancheck.ResourceActionReplace),
					changes("api: replace 1 instance, "+w.swap()+" (image sha256:…")),
				Check: resource.ComposeTestCheckFunc(web.answers("/", "1"), same("version", &ref), same("instances.api.image", &image),
					w.revisions("successful", "downgraded", "obsolete")),
			},
			unchanged(w.config("1.0.0", api(old))),
			resource.TestStep{ // what has been deployed once can never mean anything else
				Config:      w.config("1.0.0", api(next)),
				PlanOnly:    true,
				ExpectError: told("Plan version: conflict", "components", "1."),
			},
			resource.TestStep{
				Config: w.config("1.1.0", api(next)),
				Check:  resource.ComposeTestCheckFunc(web.answers("/", "2"), w.revisions("successful", "obsolete", "obsolete", "obsolete")),
			},
		)
	})
}

package deployment_test

import (
	"strconv"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// A deployment that Terraform forgot is taken back by its id, and nothing is to
// be done then.
func TestAccImport(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		image := w.app("1")
		before := acctest.Join(w.base(), version("1.0.0", component("api", image, w.many())))
		whole := w.config("1.0.0", component("api", image, w.many()), `variables = { FLAG = "on" }`, `components = { api = { replicas = 2, env = { MORE = "yes" } } }`)
		var instances []string
		w.run(
			resource.TestStep{Config: whole, Check: w.remember(&instances)},
			resource.TestStep{
				ResourceName: address, ImportState: true, ImportStateVerify: true,
				ImportStateVerifyIgnore: []string{"changes"}, // those of the last apply are not kept by the engine
			},
			resource.TestStep{Config: acctest.Join(before, `
removed {
  from = slipway_deployment.shop
  lifecycle { destroy = false }
}`)},
			resource.TestStep{
				Config:      whole,
				ExpectError: told("Create deployment: already exists", "import slipway_deployment.<name> "+w.Deployment()),
			},
			resource.TestStep{
				Config: acctest.Join(whole, `
import {
  to = slipway_deployment.shop
  id = "`+w.Deployment()+`"
}`),
				ConfigPlanChecks: planned(plancheck.ExpectResourceAction(address, plancheck.ResourceActionNoop)),
				Check:            w.kept(&instances, "api"),
			},
			unchanged(whole),
		)
	})
}

// Production is protected unless it says otherwise; a deployment that says nothing
// any more is again as its environment.
func TestAccDeletionProtection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acctest.Local(t))
	image := w.app("1")
	production := w.baseWith("type = \"production\"\n deletion_protection = var.protected")
	vars := func(protected bool) config.Variables {
		return config.Variables{"protected": config.BoolVariable(protected)}
	}
	const declared = "variable \"protected\" { type = bool }\n"
	with := func(more string) string {
		return acctest.Join(declared, production, version("1.0.0", api(image)), acctest.Deployment(brisk+more))
	}
	becomes := func(step resource.TestStep, protected bool) resource.TestStep {
		step.ConfigPlanChecks = planned(
			plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate),
			plancheck.ExpectKnownValue(address, tfjsonpath.New("deletion_protection"), knownvalue.Bool(protected)),
			changes("api: keep"))
		return step
	}
	w.run(
		resource.TestStep{
			Config: with(""), ConfigVariables: vars(true),
			ConfigStateChecks: []statecheck.StateCheck{state("deletion_protection", knownvalue.Bool(true))},
		},
		resource.TestStep{
			Config: acctest.Join(declared, production), ConfigVariables: vars(true),
			ExpectError: told("Destroy deployment: conflict", w.Deployment(), "set deletion_protection = false, apply, and then destroy"),
		},
		resource.TestStep{
			Config: with("prefix = \"other\""), ConfigVariables: vars(true), PlanOnly: true,
			ExpectError: told("Destroy deployment: conflict", "is protected from deletion"),
		},
		becomes(resource.TestStep{Config: with("deletion_protection = false"), ConfigVariables: vars(true)}, false),
		becomes(resource.TestStep{Config: with(""), ConfigVariables: vars(true)}, true),
		becomes(resource.TestStep{Config: with(""), ConfigVariables: vars(false)}, false),
	)
}

// Values that are known only while applying make the plan say less, never fail.
func TestAccUnknownValues(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		image := w.app("1")
		conf := acctest.Join(`
variable "text" { type = string }
resource "terraform_data" "late" { input = var.text }
resource "terraform_data" "number" { input = `+strconv.Itoa(w.Replicas(2))+` }
`, w.base(), version("1.0.0", api(image, `env = { LATE = terraform_data.late.output }`)), acctest.Deployment(brisk+`
  prefix     = terraform_data.late.output
  variables  = { ALSO_LATE = terraform_data.late.output }
  components = { api = { replicas = terraform_data.number.output } }
`))
		text := func(value string) config.Variables { return config.Variables{"text": config.StringVariable(value)} }
		web := w.site()
		w.run(
			resource.TestStep{
				Config: conf, ConfigVariables: text(w.Product),
				ConfigPlanChecks: planned(
					plancheck.ExpectUnknownValue(address, tfjsonpath.New("id")),
					plancheck.ExpectUnknownValue(address, tfjsonpath.New("version")),
					plancheck.ExpectUnknownValue(address, tfjsonpath.New("changes"))),
				ConfigStateChecks: []statecheck.StateCheck{state("id", knownvalue.StringExact(w.Deployment()))},
				Check:             resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/env", "LATE="+w.Product), web.answers("/env", "ALSO_LATE="+w.Product)),
			},
			resource.TestStep{Config: conf, ConfigVariables: text(w.Product), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
		)
	})
}

// The data sources see what the resource made.
func TestAccDataSources(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		image := w.app("1")
		conf := acctest.Join(w.config("1.0.0", api(image)), `
data "slipway_deployment" "one" { id = slipway_deployment.shop.id }
data "slipway_deployments" "here" {
  environment_id = slipway_deployment.shop.environment_id
  status         = "successful"
}
data "slipway_deployments" "none" {
  product_id = slipway_version.shop.product_id
  status     = "failed"
}
data "slipway_image" "app" {
  reference = "`+image+`"
  team_id   = slipway_registry.main.team_id
}
output "image" {
  value = endswith(slipway_deployment.shop.instances.api.image, "@${data.slipway_image.app.digest}")
}
`)
		pair := func(attribute string) resource.TestCheckFunc {
			return resource.TestCheckResourceAttrPair("data.slipway_deployment.one", attribute, address, attribute)
		}
		w.run(
			resource.TestStep{
				Config: conf,
				Check: resource.ComposeTestCheckFunc(pair("version"), pair("node_id"), pair("status"), pair("health"), pair("revision"),
					pair("operation_id"), pair("endpoints.api/http.url"),
					resource.TestCheckResourceAttr("data.slipway_deployments.here", "deployments.#", "1"),
					resource.TestCheckResourceAttrPair("data.slipway_deployments.here", "deployments.0.id", address, "id"),
					resource.TestCheckResourceAttr("data.slipway_deployments.none", "deployments.#", "0"),
					resource.TestCheckOutput("image", "true")),
			},
			unchanged(conf),
		)
	})
}

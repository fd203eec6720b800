package deployment_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// The scenarios of versions and revisions: what may be done to a chain 1.0.0 ->
// 2.0.0 -> 3.0.0 and its deployments, and what comes of it. Each test tells some
// of them as one story; the numbers name them in the output. Number 14 is told
// by TestAccScenarioUnderWay, 16 and 23 by TestAccRemovedVersionKeepsItsPlace and
// TestAccSimpleProductTakesNoVersion, and 19, a node that goes away, by
// internal/faults.

// scenario is a step that says in the output which one it is.
func (w *world) scenario(number int, what string, step resource.TestStep) resource.TestStep {
	before := step.PreConfig
	step.PreConfig = func() {
		w.t.Logf("scenario %2d: %s", number, what)
		if before != nil {
			before()
		}
	}
	return step
}

// refused is a scenario whose plan is an error.
func (w *world) refused(number int, what, config string, texts ...string) resource.TestStep {
	return w.scenario(number, what, resource.TestStep{Config: config, PlanOnly: true, ExpectError: told(texts...)})
}

// release is slipway_version.v<major>, a child of the one that parent names.
func release(major int, parent, components string) string {
	if parent != "" {
		parent = "parent_id = " + parent
	}
	return fmt.Sprintf(`
resource "slipway_version" "v%d" {
  product_id = slipway_product.shop.id
  name       = "%d.0.0"
  %s
  components = {
%s
  }
  depends_on = [slipway_registry.main]
}
`, major, major, parent, components)
}

// deployed is a deployment of slipway_version.v<major> in slipway_environment.staging.
func deployed(name string, major int, more ...string) string {
	return acctest.Join(fmt.Sprintf("resource \"slipway_deployment\" %q {", name),
		"environment_id = slipway_environment.staging.id",
		fmt.Sprintf("version = slipway_version.v%d.ref", major), brisk, acctest.Join(more...), "}\n")
}

func versionIs(major int, attribute string, want knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(fmt.Sprintf("slipway_version.v%d", major), tfjsonpath.New(attribute), want)
}

// A chain of versions goes forward and back; what was released stays as it was.
func TestAccScenariosOfAChain(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		one, two, web := w.app("1"), w.app("2"), w.site()
		first, second := release(1, "", api(one)), release(2, "slipway_version.v1.id", api(two))
		changed := func(components string) string {
			return acctest.Join(w.base(), first, release(2, "slipway_version.v1.id", components), deployed("shop", 2))
		}
		both := func(major int) string { return acctest.Join(w.base(), first, second, deployed("shop", major)) }
		w.run(
			w.scenario(1, "deploy v1", resource.TestStep{
				Config: acctest.Join(w.base(), first, deployed("shop", 1)),
				Check:  resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "1"), w.revisions("successful")),
			}),
			w.scenario(2, "v2 is v1's child", resource.TestStep{
				Config:           both(1),
				ConfigPlanChecks: planned(plancheck.ExpectResourceAction(address, plancheck.ResourceActionNoop)),
				ConfigStateChecks: []statecheck.StateCheck{
					versionIs(2, "number", knownvalue.Int64Exact(2)), versionIs(2, "sealed", knownvalue.Bool(false)),
					versionIs(2, "parent_id", knownvalue.StringExact(w.Version("1.0.0"))),
				},
			}),
			w.refused(3, "another child of v1", acctest.Join(both(1), release(3, "slipway_version.v1.id", api(two))),
				"Plan version: conflict", `parent_id`, `version "1.0.0" already has its child`, `"2.0.0"`),
			w.scenario(4, "deploy v2", resource.TestStep{
				Config: both(2),
				Check:  resource.ComposeTestCheckFunc(web.answers("/", "2"), w.revisions("successful", "obsolete")),
			}),
			w.refused(5, "edit v2's env", changed(api(two, `env = { LEVEL = "gold" }`)), "Plan version: conflict", "components", "sealed", `"2.0.1"`),
			w.refused(6, "edit v2's image", changed(api(one)), "Plan version: conflict", "components", "sealed", `"2.0.1"`),
			w.scenario(7, "deploy v2 again", unchanged(both(2))),
			w.scenario(8, "back to v1", resource.TestStep{
				Config: both(1),
				Check:  resource.ComposeTestCheckFunc(web.answers("/", "1"), w.revisions("successful", "downgraded", "obsolete")),
			}),
			w.scenario(9, "forward to v2", resource.TestStep{
				Config: both(2),
				Check:  resource.ComposeTestCheckFunc(web.answers("/", "2"), w.revisions("successful", "obsolete", "obsolete", "obsolete")),
			}),
			w.refused(10, "a second deployment of v2 under the same prefix", acctest.Join(both(2), elsewhere, `
resource "slipway_deployment" "twin" {
  environment_id = slipway_environment.elsewhere.id
  version        = slipway_version.v2.ref
}`), "Plan deployment: conflict", "belongs to deployment "+w.Deployment()),
			w.scenario(11, "a second deployment of v2 under another prefix", resource.TestStep{
				Config: acctest.Join(both(2), deployed("twin", 2, `prefix = "`+w.Product+`-b"`)),
				Check:  resource.TestCheckResourceAttr("slipway_deployment.twin", "health", "healthy"),
			}),
			w.scenario(15, "delete v2's deployment", resource.TestStep{
				Config: acctest.Join(w.base(), first, second),
				Check:  w.nothingRuns,
				ConfigStateChecks: []statecheck.StateCheck{
					versionIs(2, "sealed", knownvalue.Bool(true)),
				},
			}),
			w.refused(15, "v2 stays frozen", acctest.Join(w.base(), first, release(2, "slipway_version.v1.id", api(one))),
				"Plan version: conflict", "components", "sealed"),
		)
	})
}

// A version that fails changes nothing of what serves, and may be mended.
func TestAccScenariosOfAFailure(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		good, bad, web := w.app("2"), w.app("3", "HEALTH", "fail"), w.site()
		mended := w.app("3-mended")
		second := release(2, "", api(good))
		var ref string
		pair := acctest.Join(component("api", mended, `ports = { http = { container_port = 8080, host_port = 0 } }`), component("worker", good))
		third := func(components, plan string) string {
			return acctest.Join(w.base(), second, release(3, "slipway_version.v2.id", components), `
resource "slipway_deployment" "shop" {
  environment_id = slipway_environment.staging.id
  version        = slipway_version.v3.ref
`+plan+`}
`)
		}
		w.run(
			resource.TestStep{
				Config: acctest.Join(w.base(), second, deployed("shop", 2)),
				Check:  resource.ComposeTestCheckFunc(web.learn("api/http"), keep("version", &ref)),
			},
			w.scenario(12, "v3 fails", resource.TestStep{
				Config:      third(api(bad), strategy("200ms", "3s")),
				ExpectError: told("Update deployment: rollout failed", "503", "version 2.0.0", "serves"),
			}),
			resource.TestStep{
				RefreshState: true, ExpectNonEmptyPlan: true,
				Check: resource.ComposeTestCheckFunc(web.answers("/", "2"), same("version", &ref), w.revisions("failed", "successful")),
			},
			w.scenario(13, "v3 is mended and tried again", resource.TestStep{
				Config: third(pair, brisk),
				Check:  resource.ComposeTestCheckFunc(web.answers("/", "3-mended"), w.revisions("successful", "failed", "obsolete")),
			}),
			w.scenario(20, "only one component of v3 runs", resource.TestStep{
				PreConfig:    func() { w.Remove(t, w.instanceOf("worker")) },
				RefreshState: true, ExpectNonEmptyPlan: true,
				Check: resource.ComposeTestCheckFunc(
					resource.TestCheckResourceAttr(address, "health", "unhealthy"),
					resource.TestCheckResourceAttr(address, "instances.worker.ready", "0"),
					resource.TestCheckResourceAttr(address, "instances.api.ready", "1"),
				),
			}),
			resource.TestStep{
				Config: third(pair, brisk),
				Check:  resource.TestCheckResourceAttr(address, "health", "healthy"),
			},
		)
	})
}

// What may be deployed where: rolling versions, simple products, prefixes that
// somebody has, protection, other nodes.
func TestAccScenariosOfOwners(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		one, two, web := w.app("1"), w.app("2"), w.site()
		rolling := func(image string, more ...string) string {
			return acctest.Join(w.base(), `
resource "slipway_version" "edge" {
  product_id = slipway_product.shop.id
  name       = "edge"
  type       = "rolling"
  components = {
`+api(image)+`
  }
  depends_on = [slipway_registry.main]
}
resource "slipway_deployment" "shop" {
  environment_id = slipway_environment.staging.id
  version        = slipway_version.edge.ref
`+brisk+`
}
`, acctest.Join(more...))
		}
		const locked, unlocked = "deletion_protection = true\n", "deletion_protection = false\n"
		protect := func(config, protection string) string {
			return strings.Replace(config, `version        = slipway_version.edge.ref`, "version = slipway_version.edge.ref\n"+protection, 1)
		}
		w.run(
			resource.TestStep{
				Config: rolling(one),
				Check:  resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "1")),
			},
			w.scenario(21, "deploy a rolling version again", resource.TestStep{
				Config: rolling(two),
				Check:  resource.ComposeTestCheckFunc(web.answers("/", "2"), w.revisions("successful", "obsolete")),
			}),
			w.refused(22, "a second deployment of it under the same prefix", rolling(two, elsewhere, `
resource "slipway_deployment" "twin" {
  environment_id = slipway_environment.elsewhere.id
  version        = slipway_version.edge.ref
}`), "Plan deployment: conflict", `prefix "`+w.Product+`"`, "belongs to deployment "+w.Deployment()),
			w.refused(17, "another product under the same prefix", rolling(two, elsewhere, simple(one), `
resource "slipway_deployment" "blog" {
  environment_id = slipway_environment.elsewhere.id
  version        = slipway_product.blog.ref
  prefix         = "`+w.Product+`"
}`), "Plan deployment: conflict", "belongs to deployment "+w.Deployment()),
			resource.TestStep{Config: protect(rolling(two), locked)},
			w.scenario(18, "destroy what is protected", resource.TestStep{
				Config: protect(rolling(two), locked), Destroy: true,
				ExpectError: told("Destroy deployment: conflict", w.Deployment(), "protected from deletion", "set deletion_protection = false"),
			}),
			resource.TestStep{Config: protect(rolling(two), unlocked)},
			w.scenario(24, "the same on another node, with its secrets", resource.TestStep{
				Config: rolling(two, w.secondNode(), `
resource "slipway_version" "v1" {
  product_id = slipway_product.shop.id
  name       = "1.0.0"
  components = {
`+api(one, `secrets = ["TOKEN"]`)+`
  }
  depends_on = [slipway_registry.main]
}
resource "slipway_deployment" "far" {
  environment_id = slipway_environment.far.id
  version        = slipway_version.v1.ref
  prefix         = "`+w.Product+`-far"
`+brisk+`
}`),
				Check: resource.ComposeTestCheckFunc(web.learnFrom("slipway_deployment.far", "api/http"), web.answers("/env", "TOKEN=canary-far")),
			}),
		)
	})
}

// elsewhere is another environment on the same node.
const elsewhere = `
resource "slipway_environment" "elsewhere" {
  team_id = slipway_team.acme.id
  node_id = slipway_node.here.id
  name    = "elsewhere"
}
`

// secondNode is another node of the same kind, with an environment that has a secret.
func (w *world) secondNode() string {
	return strings.Replace(w.Node, `"here"`, `"there"`, 2) + `
resource "slipway_environment" "far" {
  team_id            = slipway_team.acme.id
  node_id            = slipway_node.there.id
  name               = "far"
  secrets_wo         = { TOKEN = "canary-far" }
  secrets_wo_version = 1
}
`
}

// simple is slipway_product.blog, which has one version of its own.
func simple(image string) string {
	return `
resource "slipway_product" "blog" {
  team_id    = slipway_team.acme.id
  name       = "blog"
  type       = "simple"
  components = { web = { image = "` + image + `" } }
  depends_on = [slipway_registry.main]
}
`
}

// nothingRuns expects no instance on the node.
func (w *world) nothingRuns(*terraform.State) error {
	if left := w.Instances(w.t); len(left) > 0 {
		return fmt.Errorf("still there: %v", left)
	}
	return nil
}

package deployment_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// ground is what environments and deployments stand on.
func (w *world) ground() string {
	return acctest.Join(acctest.Provider(w.DataDir), acctest.Team, w.Node, acctest.ProductOf(w.Product),
		acctest.Registry("http://"+w.registry.URL(), "ci", "registry-canary"))
}

// place is slipway_environment.<name>.
func place(name string, more ...string) string {
	return fmt.Sprintf(`
resource "slipway_environment" %q {
  team_id = slipway_team.acme.id
  node_id = slipway_node.here.id
  name    = %q
  %s
}
`, name, name, strings.Join(more, "\n  "))
}

func from(name string) string { return "promotes_from_id = slipway_environment." + name + ".id" }

// in is slipway_deployment.<name> in the environment of that name.
func (w *world) in(name, version string) string {
	return fmt.Sprintf(`
resource "slipway_deployment" %q {
  environment_id = slipway_environment.%s.id
  version        = %s
  prefix         = "%s-%s"
%s
}
`, name, name, version, w.Product, name, brisk)
}

// promotes has dev, staging and production, one after the other.
func (w *world) promotes(release, image string) string {
	return acctest.Join(w.ground(), place("dev"), place("staging", from("dev")), place("production", from("staging")),
		version(release, component("api", image)), w.in("dev", "slipway_version.shop.ref"),
		w.in("staging", "slipway_deployment.dev.version"), w.in("production", "slipway_deployment.staging.version"))
}

func promotion(name string, want knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue("slipway_deployment."+name, tfjsonpath.New("promotion_status"), want)
}

// A version goes from dev over staging to production in one apply; one that is
// bad in dev goes no further.
func TestAccPromotionInOneApply(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		first, second, bad := w.app("1"), w.app("2"), w.app("3", "EXIT_NOW", "7")
		inSync := []statecheck.StateCheck{
			promotion("dev", knownvalue.Null()), promotion("staging", knownvalue.StringExact("in_sync")), promotion("production", knownvalue.StringExact("in_sync")),
		}
		w.run(
			resource.TestStep{Config: w.promotes("1.0.0", first), ConfigStateChecks: inSync},
			unchanged(w.promotes("1.0.0", first)),
			resource.TestStep{
				Config: w.promotes("1.1.0", second), ConfigStateChecks: inSync,
				ConfigPlanChecks: planned(plancheck.ExpectUnknownValue("slipway_deployment.production", tfjsonpath.New("promotion_status"))),
			},
			resource.TestStep{Config: w.promotes("1.2.0", bad), ExpectError: told("rollout failed", "Deployment: acme/dev/", "Exit code: 7")},
			resource.TestStep{
				Config: w.promotes("1.1.0", second), ConfigStateChecks: inSync,
			},
			unchanged(w.promotes("1.1.0", second)),
		)
	})
}

// What the source has not proved is refused at plan, with what is missing; what
// ran before comes back.
func TestAccPromotionRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acctest.Local(t))
	first, second := w.app("1"), w.app("2")
	environments := func(more ...string) string {
		return acctest.Join(w.ground(), place("staging"), place("production", append(more, from("staging"))...))
	}
	// Nothing orders the two deployments but what depends is.
	both := func(release, image, staging, production, depends string, more ...string) string {
		return acctest.Join(environments(more...), version(release, component("api", image)),
			w.in("staging", staging), strings.Replace(w.in("production", production), "prefix ", depends+"\n  prefix ", 1))
	}
	const (
		ref   = "slipway_version.shop.ref"
		after = "depends_on = [slipway_deployment.staging]"
	)
	one := `"` + w.Version("1.0.0") + `"`
	w.run(
		resource.TestStep{
			Config: acctest.Join(environments(), version("1.0.0", component("api", first)), w.in("production", ref)), PlanOnly: true,
			ExpectError: told("Plan deployment: conflict", `/on terraform_plugin_test\.tf line \d+.*version\s+=/`,
				`version "1.0.0" has not succeeded in acme/staging, which acme/production promotes from`, "version = slipway_deployment"),
		},
		resource.TestStep{
			Config: both("1.0.0", first, ref, ref, after, `min_soak = "10h"`), PlanOnly: true,
			ExpectError: told("Plan deployment: conflict", `version "1.0.0" only comes to acme/staging in this run, and has served there for 0s of 10h`),
		},
		resource.TestStep{
			Config:            both("1.0.0", first, ref, ref, after),
			ConfigStateChecks: []statecheck.StateCheck{promotion("production", knownvalue.StringExact("in_sync"))},
		},
		resource.TestStep{ // staging goes ahead; what runs in production stays in Terraform's eyes
			Config: both("1.1.0", second, ref, one, after),
		},
		resource.TestStep{
			RefreshState: true,
			Check:        resource.TestCheckResourceAttr("slipway_deployment.production", "promotion_status", "out_of_sync"),
		},
		resource.TestStep{
			Config: both("1.1.0", second, ref, ref, after, `min_soak = "10h"`), PlanOnly: true,
			ExpectError: told("Plan deployment: conflict", `version "1.1.0" has served acme/staging for`, "of 10h, the min_soak of acme/production", "Apply again when it has served there for another 9h"),
		},
		resource.TestStep{Config: both("1.1.0", second, ref, ref, after)},
		resource.TestStep{ // back, without asking staging
			Config: both("1.1.0", second, ref, one, "", `min_soak = "10h"`),
			ConfigStateChecks: []statecheck.StateCheck{
				promotion("production", knownvalue.StringExact("out_of_sync")),
				statecheck.ExpectKnownValue("slipway_deployment.production", tfjsonpath.New("revision"), knownvalue.Int64Exact(4)),
			},
		},
		unchanged(both("1.1.0", second, ref, one, "", `min_soak = "10h"`)),
		resource.TestStep{
			Config: acctest.Join(w.ground(), place("staging", `promotes_from_id = "acme/production"`), place("production", from("staging"))), PlanOnly: true,
			ExpectError: told("Plan environment: conflict", `/on terraform_plugin_test\.tf line \d+.*promotes_from_id\s+=/`,
				"would promote in a circle: acme/staging from acme/production from acme/staging"),
		},
		resource.TestStep{
			Config: acctest.Join(w.ground(), place("staging", `min_soak = "1h"`)), PlanOnly: true,
			ExpectError: told("Plan environment: invalid", "min_soak", "set promotes_from_id too"),
		},
	)
}

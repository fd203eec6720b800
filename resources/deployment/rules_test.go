package deployment_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// versions are slipway_version.v1_0_0 and so on; the last one is deployed.
func (w *world) versions(names ...string) string {
	all := w.base()
	at := ""
	for _, name := range names {
		at = "slipway_version.v" + name[:1]
		all += `
resource "slipway_version" "v` + name[:1] + `" {
  product_id = slipway_product.shop.id
  name       = "` + name + `"
  components = {
` + api(w.registry.URL()+"/"+w.space+"/app:"+name) + `
  }
  depends_on = [slipway_registry.main` + w.after(name) + `]
}
`
	}
	return all + `
resource "slipway_deployment" "shop" {
  environment_id = slipway_environment.staging.id
  version        = ` + at + `.ref
` + brisk + `
}
`
}

// after makes the chain: version 2.0.0 is created after 1.0.0.
func (w *world) after(name string) string {
	if name == "2.0.0" {
		return ", slipway_version.v1"
	}
	return ""
}

// A version that has a child can be removed: it is retired and keeps its place,
// and comes back as the very same; other content is refused.
func TestAccRemovedVersionKeepsItsPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acctest.Local(t))
	w.app("1.0.0")
	w.app("2.0.0")
	const second = "slipway_version.v2"
	number := func(n int64) statecheck.StateCheck {
		return statecheck.ExpectKnownValue(second, tfjsonpath.New("number"), knownvalue.Int64Exact(n))
	}
	without := acctest.Join(w.base(), `
resource "slipway_version" "v2" {
  product_id = slipway_product.shop.id
  name       = "2.0.0"
  components = {
`+api(w.registry.URL()+"/"+w.space+"/app:2.0.0")+`
  }
  depends_on = [slipway_registry.main]
}
resource "slipway_deployment" "shop" {
  environment_id = slipway_environment.staging.id
  version        = slipway_version.v2.ref
`+brisk+`
}`)
	w.run(
		resource.TestStep{Config: w.versions("1.0.0")},
		resource.TestStep{Config: w.versions("1.0.0", "2.0.0"), ConfigStateChecks: []statecheck.StateCheck{number(2)}},
		resource.TestStep{
			Config: without, ConfigStateChecks: []statecheck.StateCheck{number(2)},
			ConfigPlanChecks: planned(plancheck.ExpectResourceAction("slipway_version.v1", plancheck.ResourceActionDestroy)),
		},
		unchanged(without),
		resource.TestStep{
			PreConfig:   func() { w.app("1.0.1") },
			Config:      acctest.Join(without, version("1.0.0", api(w.registry.URL()+"/"+w.space+"/app:1.0.1"))),
			PlanOnly:    true,
			ExpectError: told("Plan version: conflict", `version "1.0.0" was sealed by its first successful deployment`, `slipway_version named "1.0.1"`),
		},
		resource.TestStep{ // it is back, and the deployment goes back to it
			Config: w.versions("1.0.0"),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue("slipway_version.v1", tfjsonpath.New("number"), knownvalue.Int64Exact(1)),
				state("revision", knownvalue.Int64Exact(3)),
			},
		},
		unchanged(w.versions("1.0.0")),
	)
}

// A simple product takes no version, also when both are new.
func TestAccSimpleProductTakesNoVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acctest.Local(t))
	image := w.app("1")
	base := acctest.Join(acctest.Provider(w.DataDir), acctest.Team, acctest.Registry("http://"+w.registry.URL(), "ci", "registry-canary"))
	simple := acctest.Join(base, `
resource "slipway_product" "shop" {
  team_id    = slipway_team.acme.id
  name       = "blog"
  type       = "simple"
  components = {
`+component("api", image)+`
  }
  depends_on = [slipway_registry.main]
}
`)
	both := acctest.Join(simple, version("1.0.0", component("api", image)))
	refused := resource.TestStep{
		Config: both, PlanOnly: true,
		ExpectError: told("Plan version: conflict", `/on terraform_plugin_test\.tf line \d+.*product_id\s+=/`,
			`version "1.0.0" belongs to a simple product, which has exactly one version`, `set its type to "complex"`),
	}
	w.run(refused, resource.TestStep{Config: simple}, refused, unchanged(simple))
}

// until polls the condition for a minute.
func (w *world) until(condition func() bool) {
	w.t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			w.t.Fatal("it did not come to that within a minute")
		case <-tick.C:
		}
	}
}

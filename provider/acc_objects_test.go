package provider_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

func TestAccNode(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	node := func(body string) string {
		return acctest.Join(acctest.Provider(dir), acctest.Team,
			"resource \"slipway_node\" \"here\" {\nteam_id = slipway_team.acme.id\nname = \"here\"\n"+body+"\n}\n")
	}
	const addr = "slipway_node.here"
	steps(t, dir,
		resource.TestStep{
			Config:            node(`local = {}`),
			ConfigPlanChecks:  planned(plancheck.ExpectKnownValue(addr, tfjsonpath.New("id"), knownvalue.StringExact("acme/here"))),
			ConfigStateChecks: stateHas(addr, "status", knownvalue.StringExact("ready")),
		},
		resource.TestStep{Config: node(`local = {}`), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
		resource.TestStep{ResourceName: addr, ImportState: true, ImportStateVerify: true},
		resource.TestStep{
			Config: node("local = {}\nallocation = \"closed\"\nlabels = { zone = \"a\" }\nimage_retention = {}"),
			ConfigPlanChecks: planned(
				plancheck.ExpectResourceAction(addr, plancheck.ResourceActionUpdate),
				plancheck.ExpectKnownValue(addr, tfjsonpath.New("status"), knownvalue.StringExact("ready"))),
		},
		resource.TestStep{Config: node(""), PlanOnly: true, ExpectError: regexp.MustCompile(`Exactly one of these attributes must be\s+configured`)},
		resource.TestStep{Config: node(`local = { address = "home" }`), PlanOnly: true, ExpectError: regexp.MustCompile(`"home" is not an IP address`)},
		resource.TestStep{
			Config:            node(`local = { address = "127.0.0.2" }`),
			ConfigPlanChecks:  action(addr, plancheck.ResourceActionUpdate),
			ConfigStateChecks: stateHas(addr, "labels", knownvalue.Null()),
		},
	)
}

func TestAccEnvironment(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	environment := func(body string) string {
		return acctest.Join(acctest.Provider(dir), acctest.Team, acctest.Node,
			"resource \"slipway_environment\" \"it\" {\nteam_id = slipway_team.acme.id\nnode_id = slipway_node.here.id\n"+body+"\n}\n")
	}
	const addr = "slipway_environment.it"
	protection := tfjsonpath.New("deletion_protection")
	steps(t, dir,
		resource.TestStep{
			Config: environment(`name = "it"`),
			ConfigPlanChecks: planned(
				plancheck.ExpectKnownValue(addr, tfjsonpath.New("id"), knownvalue.StringExact("acme/it")),
				plancheck.ExpectKnownValue(addr, protection, knownvalue.Bool(false))),
		},
		resource.TestStep{
			Config:            environment("name = \"it\"\ntype = \"production\"\nvariables = {}"),
			ConfigPlanChecks:  planned(plancheck.ExpectKnownValue(addr, protection, knownvalue.Bool(true))),
			ConfigStateChecks: stateHas(addr, "variables", knownvalue.MapSizeExact(0)),
		},
		resource.TestStep{ResourceName: addr, ImportState: true, ImportStateVerify: true, ImportStateVerifyIgnore: []string{"variables"}}, // {} and null mean the same
		resource.TestStep{
			Config:      environment("name = \"other\"\ntype = \"production\""),
			ExpectError: regexp.MustCompile(`(?s)Destroy environment: conflict.*acme/it is\s+protected.*deletion_protection = false`),
		},
		resource.TestStep{
			Config:      acctest.Join(acctest.Provider(dir), acctest.Team, acctest.Node),
			ExpectError: regexp.MustCompile(`Destroy environment: conflict`),
		},
		resource.TestStep{Config: environment("name = \"it\"\ntype = \"production\"\ndeletion_protection = false")},
		resource.TestStep{ // left out again, it is what its type says
			Config: environment("name = \"it\"\ntype = \"production\""),
			ConfigPlanChecks: planned(
				plancheck.ExpectResourceAction(addr, plancheck.ResourceActionUpdate),
				plancheck.ExpectKnownValue(addr, protection, knownvalue.Bool(true))),
		},
		resource.TestStep{
			Config:      environment(`name = "it"` + "\nvariables = { \"A=B\" = \"1\" }"),
			ExpectError: regexp.MustCompile(`Plan environment: invalid`),
		},
		resource.TestStep{
			Config:            environment("name = \"it\"\nvariables = { A = \"1\", B = \"\" }"),
			ConfigPlanChecks:  action(addr, plancheck.ResourceActionUpdate),
			ConfigStateChecks: stateHas(addr, "variables", knownvalue.MapSizeExact(2)),
		},
	)
}

func TestAccEnvironmentSecrets(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	secrets := func(values, version string) string {
		body := "\n"
		if values != "" {
			body += "secrets_wo = " + values + "\n"
		}
		if version != "" {
			body += "secrets_wo_version = " + version + "\n"
		}
		return acctest.Join(acctest.Provider(dir), acctest.Team, acctest.Node,
			"resource \"slipway_environment\" \"it\" {\nteam_id = slipway_team.acme.id\nnode_id = slipway_node.here.id\nname = \"it\""+body+"}\n")
	}
	const addr = "slipway_environment.it"
	names := tfjsonpath.New("secret_names")
	list := func(all ...string) knownvalue.Check {
		var checks []knownvalue.Check
		for _, name := range all {
			checks = append(checks, knownvalue.StringExact(name))
		}
		return knownvalue.ListExact(checks)
	}
	steps(t, dir,
		resource.TestStep{
			Config:            secrets(`{ TOKEN = "canary-1", A = "x" }`, "1"),
			ConfigPlanChecks:  planned(plancheck.ExpectKnownValue(addr, names, list("A", "TOKEN"))),
			ConfigStateChecks: stateHas(addr, "secrets_wo", knownvalue.Null()),
		},
		resource.TestStep{Config: secrets(`{ OTHER = "canary-2" }`, "1"), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
		resource.TestStep{
			Config:            secrets(`{ OTHER = "canary-2" }`, "2"),
			ConfigPlanChecks:  action(addr, plancheck.ResourceActionUpdate),
			ConfigStateChecks: stateHas(addr, "secret_names", list("OTHER")),
		},
		resource.TestStep{Config: secrets("", "3"), ExpectError: regexp.MustCompile(`Missing write-only value`)},
		resource.TestStep{Config: secrets(`{ A = "x" }`, ""), PlanOnly: true, ExpectError: regexp.MustCompile(`secrets_wo_version`)},
		resource.TestStep{Config: secrets("{}", "4"), ConfigStateChecks: stateHas(addr, "secret_names", list())},
	)
}

func TestAccDataSources(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	all := acctest.Join(acctest.Provider(dir), acctest.Team, acctest.Node, acctest.Product, acctest.Environment, `
data "slipway_team" "a" { name = slipway_team.acme.name }
data "slipway_node" "a" { id = slipway_node.here.id }
data "slipway_product" "a" {
  team_id = slipway_team.acme.id
  name    = slipway_product.shop.name
}
data "slipway_environment" "a" { id = slipway_environment.staging.id }
data "slipway_deployments" "a" { environment_id = slipway_environment.staging.id }
`)
	one := func(body string) string { return acctest.Provider(dir) + body }
	steps(t, dir,
		resource.TestStep{
			Config: all,
			Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttr("data.slipway_team.a", "id", "acme"),
				resource.TestCheckResourceAttr("data.slipway_node.a", "status", "ready"),
				resource.TestCheckResourceAttr("data.slipway_product.a", "type", "complex"),
				resource.TestCheckResourceAttr("data.slipway_environment.a", "node_id", "acme/here"),
				resource.TestCheckResourceAttr("data.slipway_deployments.a", "deployments.#", "0"),
			),
		},
		resource.TestStep{Config: one(`data "slipway_team" "a" { name = "none" }`), ExpectError: regexp.MustCompile(`(?s)Read team: not found.*"none"\s+by\s+name`)},
		resource.TestStep{Config: one(`data "slipway_node" "a" { name = "none" }`), ExpectError: regexp.MustCompile(`either id, or team_id and\s+name`)},
		resource.TestStep{Config: one(`data "slipway_node" "a" { id = "none" }`), ExpectError: regexp.MustCompile(`(?s)Invalid id.*such as\s+"acme/here"`)},
		resource.TestStep{Config: one(`data "slipway_version" "a" { id = "acme/shop/9.9.9" }`), ExpectError: regexp.MustCompile(`Read version: not found`)},
		resource.TestStep{Config: all},
	)
}

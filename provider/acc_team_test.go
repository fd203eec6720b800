package provider_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

func planned(checks ...plancheck.PlanCheck) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: checks}
}

func action(address string, want plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return planned(plancheck.ExpectResourceAction(address, want))
}

func stateHas(address, attribute string, want knownvalue.Check) []statecheck.StateCheck {
	return []statecheck.StateCheck{statecheck.ExpectKnownValue(address, tfjsonpath.New(attribute), want)}
}

// steps runs a test case over one data directory and checks that destroy leaves nothing.
func steps(t *testing.T, dir string, all ...resource.TestStep) {
	t.Helper()
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(t),
		CheckDestroy:             acctest.EngineIsEmpty(t, dir),
		Steps:                    all,
	})
}

func TestAccTeam(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	team := func(body string) string {
		return acctest.Provider(dir) + "resource \"slipway_team\" \"acme\" {\n" + body + "\n}\n"
	}
	const addr = "slipway_team.acme"
	steps(t, dir,
		resource.TestStep{
			Config:            team(`name = "acme"`),
			ConfigPlanChecks:  planned(plancheck.ExpectKnownValue(addr, tfjsonpath.New("id"), knownvalue.StringExact("acme"))),
			ConfigStateChecks: stateHas(addr, "description", knownvalue.Null()),
		},
		resource.TestStep{Config: team(`name = "acme"`), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
		resource.TestStep{
			Config: team("name = \"acme\"\ndescription = \"people\""),
			ConfigPlanChecks: planned(
				plancheck.ExpectResourceAction(addr, plancheck.ResourceActionUpdate),
				plancheck.ExpectKnownValue(addr, tfjsonpath.New("id"), knownvalue.StringExact("acme"))),
			ConfigStateChecks: stateHas(addr, "description", knownvalue.StringExact("people")),
		},
		resource.TestStep{ResourceName: addr, ImportState: true, ImportStateVerify: true},
		resource.TestStep{ResourceName: addr, ImportState: true, ImportStateId: "acme/shop", ExpectError: regexp.MustCompile(`(?s)Import team: invalid.*such as "acme"`)},
		resource.TestStep{
			Config:           team(`name = "other"`),
			ConfigPlanChecks: action(addr, plancheck.ResourceActionReplace),
		},
		resource.TestStep{ // deleted behind Terraform's back
			PreConfig:          func() { mustDo(t, acctest.Engine(t, dir).DeleteTeam(t.Context(), "other")) },
			RefreshState:       true,
			ExpectNonEmptyPlan: true,
		},
	)
}

func TestAccUnknownValues(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	conf := acctest.Provider(dir) + `
variable "name" { type = string }
resource "terraform_data" "late" { input = var.name }
resource "slipway_team" "acme" { name = terraform_data.late.output }
`
	steps(t, dir, resource.TestStep{
		Config:           conf,
		ConfigVariables:  config.Variables{"name": config.StringVariable("acme")},
		ConfigPlanChecks: planned(plancheck.ExpectUnknownValue("slipway_team.acme", tfjsonpath.New("id"))),
	})
}

func TestAccUnknownProviderConfiguration(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	conf := `
resource "terraform_data" "late" { input = "` + dir + `" }
provider "slipway" { data_dir = terraform_data.late.output }
` + acctest.Team + acctest.Node + acctest.Product + acctest.Environment
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(t),
		Steps:                    []resource.TestStep{{Config: conf, PlanOnly: true, ExpectNonEmptyPlan: true}},
	})
}

func TestAccInvalidNames(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	for _, name := range []string{"Acme", "-a", "a_b", "", "a123456789012345678901234567890123456789x"} {
		resource.UnitTest(t, resource.TestCase{
			ProtoV6ProviderFactories: acctest.Factories(t),
			Steps: []resource.TestStep{{
				Config:      acctest.Provider(dir) + `resource "slipway_team" "acme" { name = "` + name + `" }`,
				PlanOnly:    true,
				ExpectError: regexp.MustCompile(`Invalid attribute value`),
			}},
		})
	}
}

func TestAccDataDirectoryVanishes(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	moved := filepath.Join(acctest.DataDir(t), "kept")
	conf := acctest.Provider(dir) + acctest.Team
	resource.UnitTest(t, resource.TestCase{
		Steps: []resource.TestStep{
			{ProtoV6ProviderFactories: acctest.Factories(t), Config: conf},
			{
				PreConfig:                func() { mustDo(t, os.Rename(dir, moved)) },
				ProtoV6ProviderFactories: acctest.Factories(t),
				Config:                   conf,
				ExpectError:              regexp.MustCompile(`Different engine`),
			},
			{
				PreConfig: func() {
					mustDo(t, os.RemoveAll(dir))
					mustDo(t, os.Rename(moved, dir))
				},
				ProtoV6ProviderFactories: acctest.Factories(t),
				Config:                   conf,
				ConfigPlanChecks:         planned(plancheck.ExpectEmptyPlan()),
			},
		},
	})
}

func TestAccCreateOfAnotherOnesObject(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	service := acctest.Engine(t, dir)
	_, err := service.CreateTeam(t.Context(), engine.Team{ID: "acme", Name: "acme"})
	mustDo(t, err)
	mustDo(t, service.Confirm(t.Context(), engine.KindTeam, "acme"))
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(t),
		Steps: []resource.TestStep{{
			Config:      acctest.Provider(dir) + acctest.Team,
			ExpectError: regexp.MustCompile(`(?s)Create team: already exists.*import\s+slipway_team\.<name>\s+acme`),
		}},
	})
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package provider_test

import (
	"regexp"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// push stores a small image of that name and gives its reference.
func push(t *testing.T, registry *testimage.RegistryServer, name string) string {
	t.Helper()
	image, err := random.Image(64, 1)
	mustDo(t, err)
	registry.Push(t, name, image)
	return registry.URL() + "/" + name
}

// plainRegistry declares an anonymous registry on plain HTTP.
func plainRegistry(registry *testimage.RegistryServer) string {
	return `
resource "slipway_registry" "main" {
  team_id = slipway_team.acme.id
  name    = "main"
  url     = "http://` + registry.URL() + `"
}
`
}

func TestAccRegistry(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	server := testimage.Registry(t, testimage.RegistryOptions{Username: "ci", Password: "canary-password"})
	registry := func(password string, more string) string {
		return acctest.Join(acctest.Provider(dir), acctest.Team, `
resource "slipway_registry" "main" {
  team_id     = slipway_team.acme.id
  name        = "main"
  url         = "http://`+server.URL()+`"
  username    = "ci"
  password_wo = "`+password+`"
`+more+`
}
`)
	}
	const addr = "slipway_registry.main"
	steps(t, dir,
		resource.TestStep{Config: registry("wrong", "password_wo_version = 1"), ExpectError: regexp.MustCompile(`(Create|Plan) registry: denied`)},
		resource.TestStep{
			Config:            registry("canary-password", "password_wo_version = 1"),
			ConfigPlanChecks:  planned(plancheck.ExpectKnownValue(addr, tfjsonpath.New("id"), knownvalue.StringExact("acme/main"))),
			ConfigStateChecks: stateHas(addr, "password_wo", knownvalue.Null()),
		},
		resource.TestStep{Config: registry("another", "password_wo_version = 1"), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
		resource.TestStep{Config: registry("another", "password_wo_version = 2"), ExpectError: regexp.MustCompile(`(Update|Plan) registry: denied`)},
		resource.TestStep{ResourceName: addr, ImportState: true, ImportStateVerify: true, ImportStateVerifyIgnore: []string{"password_wo_version"}}, // Terraform's own
		resource.TestStep{Config: registry("x", ""), PlanOnly: true, ExpectError: regexp.MustCompile(`password_wo_version`)},
		resource.TestStep{ // an outage does not break a refresh
			PreConfig:        server.Off,
			Config:           registry("canary-password", "password_wo_version = 1"),
			ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan()),
		},
	)
}

func TestAccVersion(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	server := testimage.Registry(t, testimage.RegistryOptions{})
	one, two := push(t, server, "shop/api:1"), push(t, server, "shop/api:2")
	base := acctest.Join(acctest.Provider(dir), acctest.Team, acctest.Product, plainRegistry(server))
	version := func(name, components string) string { return acctest.Join(base, acctest.Version(name, components)) }
	const addr = "slipway_version.shop"
	content := `api = {
    image         = "` + one + `"
    replicas      = 2
    env           = { A = "1" }
    depends_on    = []
    ports         = { http = { container_port = 8080, host_port = 0 } }
    resources     = { cpu = 0.5, memory = "64Mi" }
    health_checks = { up = { http = { port = 8080 }, interval = "60s" } }
  }`
	steps(t, dir,
		resource.TestStep{Config: base},
		resource.TestStep{
			Config: version("1.0.0", content),
			ConfigPlanChecks: planned(
				plancheck.ExpectKnownValue(addr, tfjsonpath.New("id"), knownvalue.StringExact("acme/shop/1.0.0")),
				plancheck.ExpectKnownValue(addr, tfjsonpath.New("ref"), knownvalue.StringRegexp(regexp.MustCompile(`^acme/shop/1.0.0@sha256:[0-9a-f]{64}$`))),
				plancheck.ExpectKnownValue(addr, tfjsonpath.New("images").AtMapKey("api"), knownvalue.StringRegexp(regexp.MustCompile(`@sha256:`)))),
			ConfigStateChecks: stateHas(addr, "number", knownvalue.Int64Exact(1)),
		},
		resource.TestStep{Config: version("1.0.0", content), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
		resource.TestStep{ResourceName: addr, ImportState: true, ImportStateVerify: true,
			ImportStateVerifyIgnore: []string{"components.api.depends_on", "components.api.depends_on.#"}}, // [] and null mean the same
		resource.TestStep{ // not sealed yet: the content may change
			Config: version("1.0.0", `api = { image = "`+two+`" }`),
			ConfigPlanChecks: planned(
				plancheck.ExpectResourceAction(addr, plancheck.ResourceActionUpdate),
				plancheck.ExpectKnownValue(addr, tfjsonpath.New("number"), knownvalue.Int64Exact(1))),
		},
		resource.TestStep{
			Config: acctest.Join(base, `
resource "slipway_version" "shop" {
  product_id = slipway_product.shop.id
  name       = "1.0.0"
  changelog  = "better"
  components = { api = { image = "`+two+`" } }
}`),
			ConfigPlanChecks: planned(
				plancheck.ExpectResourceAction(addr, plancheck.ResourceActionUpdate),
				plancheck.ExpectKnownValue(addr, tfjsonpath.New("ref"), knownvalue.NotNull()),
				plancheck.ExpectKnownValue(addr, tfjsonpath.New("images"), knownvalue.MapSizeExact(1))),
		},
		resource.TestStep{
			Config:            version("1.1.0", `api = { image = "`+two+`" }`),
			ConfigPlanChecks:  action(addr, plancheck.ResourceActionReplace),
			ConfigStateChecks: stateHas(addr, "id", knownvalue.StringExact("acme/shop/1.1.0")),
		},
		resource.TestStep{ // deleted behind Terraform's back
			PreConfig:          func() { mustDo(t, acctest.Engine(t, dir).DeleteVersion(t.Context(), "acme/shop/1.1.0")) },
			RefreshState:       true,
			ExpectNonEmptyPlan: true,
		},
		resource.TestStep{
			Config:      version("1.2.0", `api = { image = "`+server.URL()+`/shop/api:none" }`),
			ExpectError: regexp.MustCompile(`Plan version: not found`),
		},
		resource.TestStep{Config: base},
	)
}

func TestAccVersionRefusals(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	base := acctest.Join(acctest.Provider(dir), acctest.Team, acctest.Product)
	image := `image = "localhost:1/x"`
	for name, test := range map[string]struct{ version, components, want string }{
		"port":       {"1.0.0", `api = { ` + image + `, ports = { http = { container_port = 70000 } } }`, `components.api.ports.http.container_port`},
		"cycle":      {"1.0.0", "a = { " + image + `, depends_on = ["b"] }` + "\n" + "b = { " + image + `, depends_on = ["a"] }`, `->`},
		"dependency": {"1.0.0", `a = { ` + image + `, depends_on = ["none"] }`, `components.a.depends_on`},
		"size":       {"1.0.0", `a = { ` + image + `, resources = { memory = "lots" } }`, `components.a.resources.memory`},
		"duration":   {"1.0.0", `a = { ` + image + `, stop_grace_period = "soon" }`, `components.a.stop_grace_period`},
		"check":      {"1.0.0", `a = { ` + image + `, health_checks = { up = { http = {} } } }`, `components.a.health_checks.up.http`},
		"name":       {"newest", `a = { ` + image + ` }`, `not a semantic\s+version`},
	} {
		t.Run(name, func(t *testing.T) {
			resource.UnitTest(t, resource.TestCase{
				ProtoV6ProviderFactories: acctest.Factories(t),
				Steps: []resource.TestStep{{
					Config:      acctest.Join(base, acctest.Version(test.version, test.components)),
					PlanOnly:    true,
					ExpectError: regexp.MustCompile(test.want),
				}},
			})
		})
	}
}

func TestAccUnknownComponentDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	conf := func(port string) string {
		return acctest.Join(acctest.Provider(dir), acctest.Team, acctest.Product,
			`resource "terraform_data" "late" { input = "x" }`,
			acctest.Version("1.0.0", `a = {
      image = "localhost:1/x"
      env   = { LATE = terraform_data.late.output }
    }
    b = {
      image      = "localhost:1/x"
      depends_on = ["a"]
      ports      = { http = { container_port = `+port+` } }
    }`))
	}
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(t),
		Steps: []resource.TestStep{
			{Config: conf("0"), PlanOnly: true, ExpectError: regexp.MustCompile(`components.b.ports.http.container_port`)},
			{Config: conf("80"), PlanOnly: true, ExpectNonEmptyPlan: true},
		},
	})
}

func TestAccSimpleProduct(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	server := testimage.Registry(t, testimage.RegistryOptions{})
	image := push(t, server, "shop/web:1")
	product := func(body string) string {
		return acctest.Join(acctest.Provider(dir), acctest.Team, plainRegistry(server),
			"resource \"slipway_product\" \"shop\" {\nteam_id = slipway_team.acme.id\nname = \"shop\"\n"+body+"\n}\n")
	}
	const addr = "slipway_product.shop"
	simple := "type = \"simple\"\ncomponents = { web = { image = \"" + image + "\"\n replicas = %REPLICAS% } }"
	with := func(replicas string) string {
		return product(regexp.MustCompile(`%REPLICAS%`).ReplaceAllString(simple, replicas))
	}
	steps(t, dir,
		resource.TestStep{Config: acctest.Join(acctest.Provider(dir), acctest.Team, plainRegistry(server))},
		resource.TestStep{
			Config: with("1"),
			ConfigPlanChecks: planned(
				plancheck.ExpectKnownValue(addr, tfjsonpath.New("ref"), knownvalue.StringRegexp(regexp.MustCompile(`^acme/shop/rolling@sha256:`))),
				plancheck.ExpectKnownValue(addr, tfjsonpath.New("images").AtMapKey("web"), knownvalue.StringRegexp(regexp.MustCompile(`@sha256:`)))),
		},
		resource.TestStep{Config: with("1"), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
		resource.TestStep{ResourceName: addr, ImportState: true, ImportStateVerify: true},
		resource.TestStep{Config: with("2"), ConfigPlanChecks: action(addr, plancheck.ResourceActionUpdate)},
		resource.TestStep{Config: product(`type = "simple"`), PlanOnly: true, ExpectError: regexp.MustCompile(`Missing components`)},
		resource.TestStep{Config: product(""), ConfigPlanChecks: action(addr, plancheck.ResourceActionUpdate), ConfigStateChecks: stateHas(addr, "ref", knownvalue.Null())},
		resource.TestStep{Config: with("1"), ExpectError: regexp.MustCompile(`Plan product: conflict`)},
		resource.TestStep{Config: product("")},
	)
}

// Several versions in one run form the chain that their names say, in whatever
// order Terraform creates them.
func TestAccVersionsOfOneRun(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	server := testimage.Registry(t, testimage.RegistryOptions{})
	image := push(t, server, "app:1")
	version := func(label, name string) string {
		return `
resource "slipway_version" "` + label + `" {
  product_id = slipway_product.shop.id
  name       = "` + name + `"
  components = { web = { image = "` + image + `" } }
  depends_on = [slipway_registry.main]
}
`
	}
	config := acctest.Join(acctest.Provider(dir), acctest.Team, acctest.Product, plainRegistry(server), `
`+version("a", "2.0.0-rc.1")+version("b", "1.10.0")+version("c", "1.9.0")+version("d", "1.1.0")+version("e", "1.0.0")+`
resource "slipway_version" "next" {
  product_id = slipway_product.shop.id
  name       = "2.0.0"
  parent_id  = slipway_version.a.id
  components = { web = { image = "`+image+`" } }
}
`)
	parent := func(name, want string) resource.TestCheckFunc {
		return resource.TestCheckResourceAttr("slipway_version."+name, "parent_id", "acme/shop/"+want)
	}
	steps(t, dir,
		resource.TestStep{Config: config},
		resource.TestStep{
			Config:           config,
			ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan()),
			Check: resource.ComposeTestCheckFunc(
				parent("d", "1.0.0"), parent("c", "1.1.0"), parent("b", "1.9.0"), parent("a", "1.10.0"), parent("next", "2.0.0-rc.1"),
				resource.TestCheckResourceAttr("slipway_version.next", "number", "6"),
			),
		},
	)
}

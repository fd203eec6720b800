package provider_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// The plan judges routes, ingresses and strategies as apply would, with the place
// of what is wrong, and nothing that it does not know yet; and it tells where
// routes will lead.
func TestAccRoutesPlanned(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	server := testimage.Registry(t, testimage.RegistryOptions{})
	server.Push(t, "shop/app:1", testimage.App(t, "1", nil))
	scene := func(ingress, route, strategy, more string) string {
		return acctest.Join(acctest.Provider(dir), acctest.Team, plainRegistry(server), strings.Replace(acctest.Node, "local   = {}", "local   = {}\n"+ingress, 1),
			acctest.Product, acctest.Environment, `resource "terraform_data" "later" { input = "ops@acme.dev" }`,
			acctest.Version("1.0.0", `app = {
      image  = "`+server.URL()+`/shop/app:1"
      routes = { web = {
        port = 8080
        `+route+`
      } }
    }`), acctest.Deployment("strategy = {\n"+strategy+"\n}"), more)
	}
	const second = `resource "slipway_deployment" "second" {
  environment_id = slipway_environment.staging.id
  version        = slipway_version.shop.ref
  prefix         = "second"
}`
	var all []resource.TestStep
	refused := map[string]struct{ ingress, route, strategy, more, says string }{
		"ingress":   {ingress: `ingress = { http_port = 443 }`, says: `with slipway_node\.here.*ingress\.https_port.*already that of http_port`},
		"directory": {ingress: `ingress = { acme_directory = "ca.acme.dev" }`, says: `with slipway_node\.here.*ingress\.acme_directory.*https://host/path`},
		"host":      {ingress: `ingress = { http_port = 8080, https_port = 8443 }`, route: `host = "http://a"`, says: `with slipway_version\.shop.*routes\.web\.host.*not a host name`},
		"wildcard":  {ingress: `ingress = { http_port = 8080, https_port = 8443 }`, route: "host = \"*.acme.dev\"\ntls = {}", says: `with slipway_version\.shop.*routes\.web\.tls.*controls\s+the\s+domain's\s+DNS`},
		"none":      {says: `with slipway_deployment\.shop.*environment_id.*node\s+acme/here\s+has\s+none`},
		"tcp port":  {ingress: `ingress = { http_port = 8080, https_port = 8443, tcp_ports = [6379] }`, route: "protocol = \"tcp\"\nlisten_port = 5432", says: `with slipway_deployment\.shop.*version.*wants\s+port\s+5432`},
		"canary":    {ingress: `ingress = { http_port = 8080, https_port = 8443 }`, strategy: `canary = {}`, says: `with slipway_deployment\.shop.*strategy\.canary.*type\s+=\s+"rolling"`},
		"kept":      {ingress: `ingress = { http_port = 8080, https_port = 8443 }`, strategy: `keep_old_for = "10m"`, says: `with slipway_deployment\.shop.*strategy\.keep_old_for.*blue_green`},
		"weights":   {ingress: `ingress = { http_port = 8080, https_port = 8443 }`, strategy: "type = \"canary\"\ncanary = { steps = [{ weight = 50 }, { weight = 20 }] }", says: `with slipway_deployment\.shop.*steps\.1\.weight.*not\s+more\s+than`},
		"collision": {ingress: `ingress = { http_port = 8080, https_port = 8443 }`, route: `host = "shop.acme.dev"`, more: second, says: `shop\.acme\.dev/\s+on\s+node\s+acme/here.*belongs\s+to\s+route\s+web\s+of\s+component\s+app\s+of\s+deployment\s+acme/staging/s(hop|econd)`},
	}
	for _, name := range slices.Sorted(maps.Keys(refused)) {
		r := refused[name]
		all = append(all, resource.TestStep{
			PreConfig: func() { t.Log("refused:", name) },
			Config:    scene(r.ingress, r.route, r.strategy, r.more), PlanOnly: true,
			ExpectError: regexp.MustCompile(`(?s)` + r.says),
		})
	}
	const addr = "slipway_deployment.shop"
	url := func(want knownvalue.Check) plancheck.PlanCheck {
		return plancheck.ExpectKnownValue(addr, tfjsonpath.New("urls").AtMapKey("app/web"), want)
	}
	all = append(all,
		resource.TestStep{
			Config:   scene(`ingress = { http_port = 8080, https_port = 8443 }`, "host = \"shop.acme.dev\"\npath_prefix = \"/api\"\ntls = {}", "type = \"canary\"\ncanary = { steps = [{ weight = 20 }] }", ""),
			PlanOnly: true, ExpectNonEmptyPlan: true,
			ConfigPlanChecks: resource.ConfigPlanChecks{PostApplyPreRefresh: []plancheck.PlanCheck{
				url(knownvalue.StringExact("https://shop.acme.dev:8443/api")),
				plancheck.ExpectKnownValue(addr, tfjsonpath.New("strategy").AtMapKey("canary").AtMapKey("max_error_rate"), knownvalue.Float64Exact(0.01)),
				plancheck.ExpectKnownValue("slipway_node.here", tfjsonpath.New("ingress").AtMapKey("http_port"), knownvalue.Int64Exact(8080)),
			}},
		},
		resource.TestStep{ // what is not known yet is not judged
			Config:   scene(`ingress = { acme_email = terraform_data.later.output, http_port = 443 }`, "protocol = \"tcp\"\nlisten_port = 5432", "", ""),
			PlanOnly: true, ExpectNonEmptyPlan: true,
		},
	)
	steps(t, dir, all...)
}

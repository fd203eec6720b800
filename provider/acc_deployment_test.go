package provider_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

func TestAccDeployment(t *testing.T) {
	t.Parallel()
	dir := acctest.DataDir(t)
	server := testimage.Registry(t, testimage.RegistryOptions{})
	good := server.URL() + "/shop/app:1"
	server.Push(t, "shop/app:1", testimage.App(t, "1", nil))
	server.Push(t, "shop/app:bad", testimage.App(t, "bad", map[string]string{"EXIT_NOW": "3"}))
	bad := server.URL() + "/shop/app:bad"
	base := acctest.Join(acctest.Provider(dir), acctest.Team, plainRegistry(server), acctest.Node, acctest.Product, acctest.Environment)
	components := func(image string) string {
		return `app = {
      image = "` + image + `"
      ports = { http = { container_port = 8080, host_port = 0 } }
    }`
	}
	deployment := func(version, image, more string) string {
		return acctest.Join(base, acctest.Version(version, components(image)), acctest.Deployment("strategy = { min_healthy_time = \"0s\" }\n"+more))
	}
	const addr = "slipway_deployment.shop"
	steps(t, dir,
		resource.TestStep{
			Config:      deployment("0.9.0", bad, ""),
			ExpectError: regexp.MustCompile(`Create deployment: rollout failed`),
		},
		resource.TestStep{
			Config: deployment("1.0.0", good, ""),
			ConfigPlanChecks: planned(
				plancheck.ExpectResourceAction(addr, plancheck.ResourceActionCreate),
				plancheck.ExpectKnownValue(addr, tfjsonpath.New("id"), knownvalue.StringExact("acme/staging/shop")),
				plancheck.ExpectKnownValue(addr, tfjsonpath.New("changes"), knownvalue.ListSizeExact(1))),
			ConfigStateChecks: stateHas(addr, "health", knownvalue.StringExact("healthy")),
		},
		resource.TestStep{Config: deployment("1.0.0", good, ""), ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
		resource.TestStep{ResourceName: addr, ImportState: true, ImportStateVerify: true, ImportStateVerifyIgnore: []string{"changes"}},
		resource.TestStep{ // Terraform's own: nothing happens
			Config: deployment("1.0.0", good, `timeouts = { update = "5m" }`),
			ConfigPlanChecks: planned(
				plancheck.ExpectResourceAction(addr, plancheck.ResourceActionUpdate),
				plancheck.ExpectKnownValue(addr, tfjsonpath.New("operation_id"), knownvalue.NotNull())),
		},
		resource.TestStep{ // the environment changes, the deployment follows in the same run
			Config:            regexp.MustCompile(`type    = "staging"`).ReplaceAllString(deployment("1.0.0", good, ""), "type = \"staging\"\nvariables = { A = \"1\" }"),
			ConfigPlanChecks:  action(addr, plancheck.ResourceActionUpdate),
			ConfigStateChecks: stateHas(addr, "revision", knownvalue.Int64Exact(2)),
		},
		resource.TestStep{
			Config:      deployment("1.1.0", bad, ""),
			ExpectError: regexp.MustCompile(`Update deployment: rollout failed`),
		},
		resource.TestStep{Config: deployment("1.0.0", good, "deletion_protection = true")},
		resource.TestStep{Config: base, ExpectError: regexp.MustCompile(`(?s)Destroy deployment: conflict.*deletion_protection = false`)},
		resource.TestStep{Config: deployment("1.0.0", good, "deletion_protection = false")},
	)
}

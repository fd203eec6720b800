package deployment_test

import (
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

const (
	address     = "slipway_deployment.shop"
	environment = "slipway_environment.staging"
)

func TestMain(m *testing.M) { acctest.Main(m) }

// images is the registry with a password that all tests of this binary share.
var images = sync.OnceValues(func() (*testimage.RegistryServer, error) {
	return testimage.NewRegistry(testimage.RegistryOptions{Username: "ci", Password: "registry-canary"})
})

// world is what a test has to itself: a data directory, and names for its images.
type world struct {
	t        *testing.T
	dir      string
	registry *testimage.RegistryServer
	space    string // its own part of the registry
	node     string // declares slipway_node.here
}

func newWorld(t *testing.T) *world {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("local nodes need Linux")
	}
	server, err := images()
	if err != nil {
		t.Fatal(err)
	}
	space := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	return &world{t: t, dir: acctest.DataDir(t), registry: server, space: space, node: acctest.Node}
}

// push stores an image and gives its reference by tag.
func (w *world) push(name string, image v1.Image) string {
	w.t.Helper()
	w.registry.Push(w.t, w.space+"/"+name, image)
	return w.registry.URL() + "/" + w.space + "/" + name
}

// app stores a testimage.App of that tag and gives its reference.
func (w *world) app(tag string, env ...string) string {
	w.t.Helper()
	set := map[string]string{}
	for i := 0; i+1 < len(env); i += 2 {
		set[env[i]] = env[i+1]
	}
	return w.push("app:"+tag, testimage.App(w.t, tag, set))
}

// base is everything that a deployment stands on but the version.
func (w *world) base() string { return w.baseWith(`type = "staging"`) }

// baseWith is base with another environment.
func (w *world) baseWith(environment string) string {
	return acctest.Join(acctest.Provider(w.dir), acctest.Team, w.node, acctest.Product,
		acctest.Registry("http://"+w.registry.URL(), "ci", "registry-canary"), `
resource "slipway_environment" "staging" {
  team_id = slipway_team.acme.id
  node_id = slipway_node.here.id
  name    = "staging"
  `+environment+`
}
`)
}

// version is slipway_version.shop; it waits for the registry's credentials.
func version(name, components string) string {
	return fmt.Sprintf(`
resource "slipway_version" "shop" {
  product_id = slipway_product.shop.id
  name       = %q
  components = {
%s
  }
  depends_on = [slipway_registry.main]
}
`, name, components)
}

// strategy of a deployment.
func strategy(minHealthy, deadline string) string {
	return fmt.Sprintf(`
  strategy = {
    min_healthy_time  = %q
    progress_deadline = %q
    drain_timeout     = "1s"
  }
`, minHealthy, deadline)
}

// brisk is a strategy that suits tests.
var brisk = strategy("200ms", "30s")

// config is a whole configuration with a brisk deployment.
func (w *world) config(name, components string, more ...string) string {
	return w.with(brisk, name, components, more...)
}

// with is config with another strategy.
func (w *world) with(strategy, name, components string, more ...string) string {
	return acctest.Join(w.base(), version(name, components), acctest.Deployment(strategy+strings.Join(more, "\n")))
}

// api is a component of testimage.App with an HTTP check and a chosen host port.
func api(image string, more ...string) string {
	return component("api", image, append([]string{`ports = { http = { container_port = 8080, host_port = 0 } }`}, more...)...)
}

// component of testimage.App with an HTTP check.
func component(name, image string, more ...string) string {
	return fmt.Sprintf(`    %s = {
      image         = %q
      health_checks = { up = { http = { port = 8080, path = "/healthz" } } }
      %s
    }
`, name, image, strings.Join(more, "\n      "))
}

// run runs the steps and checks that destroy left nothing.
func (w *world) run(steps ...resource.TestStep) {
	w.t.Helper()
	resource.UnitTest(w.t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(w.t),
		CheckDestroy: resource.ComposeTestCheckFunc(acctest.EngineIsEmpty(w.t, w.dir), func(*terraform.State) error {
			if left := w.left(nil); len(left) > 0 {
				return fmt.Errorf("left on the node: %s", strings.Join(left, ", "))
			}
			return nil
		}),
		Steps: steps,
	})
}

func planned(checks ...plancheck.PlanCheck) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: checks}
}

// changes expects the deployment's planned changes, line by line, as list does.
func changes(lines ...string) plancheck.PlanCheck {
	return plancheck.ExpectKnownValue(address, tfjsonpath.New("changes"), list(lines...))
}

// list expects exactly these texts; one that ends with … is a beginning.
func list(lines ...string) knownvalue.Check {
	var checks []knownvalue.Check
	for _, line := range lines {
		if start, open := strings.CutSuffix(line, "…"); open {
			checks = append(checks, knownvalue.StringRegexp(regexp.MustCompile("^"+regexp.QuoteMeta(start))))
			continue
		}
		checks = append(checks, knownvalue.StringExact(line))
	}
	return knownvalue.ListExact(checks)
}

// unchanged is a step in which nothing is to be done.
func unchanged(config string) resource.TestStep {
	return resource.TestStep{Config: config, ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())}
}

func state(attribute string, want knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, tfjsonpath.New(attribute), want)
}

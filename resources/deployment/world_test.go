package deployment_test

import (
	"errors"
	"fmt"
	"regexp"
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

// world is what a test has to itself: a node, a product on it, and names for its images.
type world struct {
	*acctest.Runtime
	t        *testing.T
	registry *testimage.RegistryServer
	space    string // its own part of the registry
}

// everywhere tells a scenario on every runtime.
func everywhere(t *testing.T, scenario func(t *testing.T, w *world)) {
	t.Helper()
	acctest.Everywhere(t, func(t *testing.T, at *acctest.Runtime) { scenario(t, newWorld(t, at)) })
}

func newWorld(t *testing.T, at *acctest.Runtime) *world {
	t.Helper()
	server, err := images()
	if err != nil {
		t.Fatal(err)
	}
	space := strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))
	return &world{Runtime: at, t: t, registry: server, space: space}
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
	return acctest.Join(acctest.Provider(w.DataDir), acctest.Team, w.Node, acctest.ProductOf(w.Product),
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
var brisk = strategy("200ms", "2m")

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

// noCanary expects no secret in the state: they all are canaries.
func noCanary(s *terraform.State) error {
	if strings.Contains(s.String(), "canary") {
		return errors.New("the state has a secret")
	}
	return nil
}

func orNone(check resource.TestCheckFunc) resource.TestCheckFunc {
	if check == nil {
		return func(*terraform.State) error { return nil }
	}
	return check
}

// many are the ports of a component with several replicas: published where that
// can be.
func (w *world) many() string {
	if w.SharedPorts {
		return `ports = { http = { container_port = 8080, host_port = 0 } }`
	}
	return `ports = { http = { container_port = 8080 } }`
}

// run runs the steps, and checks that no state has a secret, and that destroy left nothing.
func (w *world) run(steps ...resource.TestStep) {
	w.t.Helper()
	for i := range steps {
		if s := &steps[i]; s.Config != "" && s.ExpectError == nil && !s.PlanOnly && !s.ImportState {
			s.Check = resource.ComposeTestCheckFunc(noCanary, orNone(s.Check))
		}
	}
	resource.UnitTest(w.t, resource.TestCase{
		ProtoV6ProviderFactories: acctest.Factories(w.t),
		CheckDestroy: resource.ComposeTestCheckFunc(acctest.EngineIsEmpty(w.t, w.DataDir), func(*terraform.State) error {
			if left := w.Left(w.t); len(left) > 0 {
				return fmt.Errorf("left on the node: %s", strings.Join(left, ", "))
			}
			return nil
		}),
		Steps: steps,
	})
}

// swap is how instances of api take over from others, when these are the only
// things besides its published port that two cannot have at once.
func (w *world) swap(obstacles ...string) string {
	if !w.SharedPorts {
		obstacles = append(obstacles, "published port http")
	}
	if len(obstacles) == 0 {
		return "start-first"
	}
	return "stop-first, " + strings.Join(obstacles, ", ") + ": a gap is expected"
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

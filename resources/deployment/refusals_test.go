package deployment_test

import (
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// refuse plans configurations over one that is applied, and expects each to be
// refused with those texts.
func (w *world) refuse(base string, all map[string]refusal) {
	w.t.Helper()
	steps := []resource.TestStep{{Config: base}}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		steps = append(steps, resource.TestStep{
			PreConfig: func() { w.t.Log("refused:", name) },
			Config:    all[name].config, PlanOnly: true, ExpectError: all[name].want,
		})
	}
	w.run(append(steps, unchanged(base))...)
}

type refusal struct {
	config string
	want   *regexp.Regexp
}

// What a component says must make sense by itself and to the node; the error
// names the attribute.
func TestAccRefusedComponents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acctest.Local(t))
	image := w.app("1")
	with := func(components string) string { return w.config("1.0.0", components) }
	all := map[string]refusal{}
	for more, want := range map[string]*regexp.Regexp{
		`depends_on = ["none"]`:                                                      told("Validate version: invalid", "components.api.depends_on", "none"),
		`depends_on = ["b"]`:                                                         told("Validate version: invalid", "/components\\.(api|b)\\.depends_on/", "->"),
		`resources = { memory = "lots" }`:                                            told("components.api.resources.memory"),
		`resources = { cpu = -1 }`:                                                   told("components.api.resources.cpu"),
		`stop_grace_period = "soon"`:                                                 told("components.api.stop_grace_period"),
		`ports = { http = { container_port = 0 } }`:                                  told("components.api.ports.http.container_port"),
		`ports = { http = { container_port = 80, host_port = 65536 } }`:              told("components.api.ports.http.host_port"),
		`health_checks = { up = { http = {} } }`:                                     told("components.api.health_checks.up.http"),
		`health_checks = { up = {} }`:                                                told("components.api.health_checks.up"),
		`health_checks = { up = { tcp = { port = 1 }, window = 2, threshold = 3 } }`: told("components.api.health_checks.up.threshold"),
		`volumes = { data = { path = "relative" } }`:                                 told("components.api.volumes.data.path"),
		`replicas = -1`:                                                              told("components.api.replicas"),
	} {
		all[more] = refusal{with(`api = {
      image = "` + image + `"
      ` + more + `
    }
    b = {
      image      = "` + image + `"
      depends_on = ["api"]
    }`), want}
	}
	all["name"] = refusal{with(`Api = { image = "` + image + `" }`), told("components.Api")}
	w.refuse(with(api(image)), all)
}

// dishonoured are options of a component that a runtime cannot honour, and what
// is said of each.
func (w *world) dishonoured() map[string][]string {
	all := map[string]map[string][]string{
		"local": {
			`volumes = { data = { path = "/data", size = "1Gi" } }`: {"components.api.volumes.data.size"},
			`security = { privileged = true }`:                      {"components.api.security.privileged", "local nodes run nothing privileged"},

			`dns = { servers = ["10.0.0.1"] }`:                     {"components.api.dns", "a docker node"},
			`networks = ["backend"]`:                               {"components.api.networks", "a docker node"},
			`sysctls = { "net.core.somaxconn" = "1" }`:             {"components.api.sysctls", "a docker node"},
			`devices = { "/dev/fuse" = { source = "/dev/fuse" } }`: {"components.api.devices", "a docker node"},
			`logging = { driver = "journald" }`:                    {"components.api.logging.driver", "a docker node"},
			`gpus = "all"`:                                         {"components.api.gpus", "a docker node"},
		},
		"docker": {
			`replicas = 2`: {"components.api.ports.http.host_port", "of one container only", "Set replicas = 1, or leave host_port out"},
			`host_paths = { "/machine" = { source = "/etc" } }`: {"components.api.host_paths./machine.source", "allowed_host_paths"},
			`security = { privileged = true }`:                  {"components.api.security.privileged", "does not allow privileged components"},
		},
	}[w.Name]
	if !w.MemoryLimits {
		all[`resources = { memory = "64Mi" }`] = []string{"components.api.resources.memory", "Run the engine as root"}
	}
	return all
}

// A node that cannot honour an option says so at plan.
func TestAccRefusedByTheNode(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		image := w.app("1")
		all := map[string]refusal{}
		for option, said := range w.dishonoured() {
			all[option] = refusal{w.config("1.1.0", api(image, option)), told(append([]string{"Plan deployment: unsupported"}, said...)...)}
		}
		w.refuse(w.config("1.0.0", api(image)), all)
	})
}

// A node that is to be made in the same run refuses it as well.
func TestAccRefusedByTheNodeToCome(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acctest.Local(t))
	registry := acctest.Registry("http://"+w.registry.URL(), "ci", "registry-canary")
	w.run(
		resource.TestStep{Config: acctest.Join(acctest.Provider(w.DataDir), acctest.Team, registry)},
		resource.TestStep{
			Config: w.config("1.0.0", api(w.app("1"), `init = true`)), PlanOnly: true,
			ExpectError: told("Plan deployment: unsupported", "components.api.init", "local nodes have no init"),
		},
	)
}

// What a deployment says must fit its version, its environment and its neighbours.
func TestAccRefusedDeployments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acctest.Local(t))
	image := w.app("1")
	with := func(more string) string { return w.config("1.0.0", api(image), more) }
	second := func(body string) string {
		return acctest.Join(with(""), `
resource "slipway_environment" "other" {
  team_id = slipway_team.acme.id
  node_id = slipway_node.here.id
  name    = "other"
}
resource "slipway_deployment" "other" {
  environment_id = slipway_environment.other.id
  version        = slipway_version.shop.ref
`+body+`
}
`)
	}
	w.refuse(with(""), map[string]refusal{
		"prefix":        {with(`prefix = "No_Name"`), told("Invalid attribute value", "/on terraform_plugin_test\\.tf line \\d+.*prefix\\s+=/")},
		"taken prefix":  {second(`prefix = "` + w.Product + `"`), told("Plan deployment: conflict", `/on terraform_plugin_test\.tf line \d+.*prefix\s+=/`, "belongs to deployment "+w.Deployment())},
		"default taken": {second(``), told("Plan deployment: conflict", "belongs to deployment "+w.Deployment())},
		"override":      {with(`components = { none = { replicas = 2 } }`), told("Plan deployment: invalid", "components.none")},
		"replicas":      {with(`components = { api = { replicas = -1 } }`), told("components.api.replicas")},
		"state":         {with(`desired_state = "paused"`), told("desired_state", "running")},
		"duration":      {w.with(strategy("soon", "1m"), "1.0.0", api(image)), told("Invalid attribute value", `strategy.min_healthy_time: "soon" is not a duration`)},
		"parallel":      {w.with("strategy = { max_parallel = 0 }", "1.0.0", api(image)), told("max_parallel", "at least 1")},
		"secret":        {w.config("1.1.0", api(image, `secrets = ["TOKEN"]`)), told("Plan deployment: invalid", "components.api.secrets", "TOKEN")},
		"no version": {with("") + `resource "slipway_deployment" "lost" {
  environment_id = slipway_environment.staging.id
  version        = "` + w.Version("9.9.9") + `@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  prefix         = "lost"
}`, told("Plan deployment: not found", `/on terraform_plugin_test\.tf line \d+.*version\s+=/`, w.Version("9.9.9"))},
		"no ref": {with("") + `resource "slipway_deployment" "lost" {
  environment_id = slipway_environment.staging.id
  version        = "1.0.0"
}`, told("Invalid attribute value", "team/product/name")},
		"two kinds": {acctest.Join(with(""), "resource \"slipway_node\" \"none\" {\n team_id = slipway_team.acme.id\n name = \"none\"\n}"), told("slipway_node.none", "local")},
	})
}

// A deprecated version serves on where it does, and takes no new deployment.
func TestAccDeprecatedVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acctest.Local(t))
	image := w.app("1")
	deployed := w.config("1.0.0", api(image))
	deprecated := regexp.MustCompile(`name       = "1.0.0"`).ReplaceAllString(deployed, "name = \"1.0.0\"\n  status = \"deprecated\"")
	w.run(
		resource.TestStep{Config: deployed},
		resource.TestStep{Config: deprecated},
		unchanged(deprecated),
		resource.TestStep{
			Config: acctest.Join(deprecated, `
resource "slipway_deployment" "late" {
  environment_id = slipway_environment.staging.id
  version        = slipway_version.shop.ref
  prefix         = "late"
}`),
			PlanOnly:    true,
			ExpectError: told("Plan deployment: conflict", "deprecated"),
		},
		unchanged(deprecated),
	)
}

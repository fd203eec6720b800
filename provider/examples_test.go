package provider_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// examples is a registry that stands in for those of the published examples.
type examples struct {
	registry *testimage.RegistryServer
}

func newExamples(t *testing.T) examples {
	t.Helper()
	e := examples{testimage.Registry(t, testimage.RegistryOptions{})}
	app := testimage.App(t, "1.4.0", nil)
	for _, name := range []string{"library/postgres:17", "library/nginx:1.29", "shop/api:1.4.0", "shop/web:1.4.0"} {
		e.registry.Push(t, name, app)
	}
	return e
}

var (
	exampleRegistry = regexp.MustCompile(`docker\.io|registry\.acme\.dev`)
	exampleURL      = regexp.MustCompile(`(url\s+= ")`)
	examplePort     = regexp.MustCompile(`host_port\s*=\s*\d+`)
	exampleObject   = regexp.MustCompile(`(resource "slipway_(?:environment|deployment)" "\w+" \{)`)
	exampleNode     = regexp.MustCompile(`local\s*=\s*\{\}`)
	exampleReplicas = regexp.MustCompile(`replicas = \d+`)
	examplePrefix   = regexp.MustCompile(`(acme/production/|prefix\s*=\s*")shop"`)
	exampleRollout  = regexp.MustCompile(`(resource "slipway_deployment" "\w+" \{)`)
	exampleVariable = regexp.MustCompile(`variable "(\w+)"`)
	exampleImport   = regexp.MustCompile(`terraform import (\S+) (\S+)`)
)

// read gives an example with its registries and fixed ports replaced.
func (e examples) read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	mustDo(t, err)
	replaced := exampleRegistry.ReplaceAllString(string(text), e.registry.URL())
	replaced = exampleURL.ReplaceAllString(replaced, "${1}http://")
	return examplePort.ReplaceAllString(replaced, "host_port = 0")
}

// on puts an example on the runtime's node, with no more replicas than can be there.
func on(at *acctest.Runtime, text string) string {
	text = exampleNode.ReplaceAllString(text, at.Kind)
	text = exampleReplicas.ReplaceAllString(text, fmt.Sprintf("replicas = %d", at.Replicas(3)))
	text = examplePrefix.ReplaceAllString(text, "${1}"+at.Product+`"`)
	return exampleRollout.ReplaceAllString(text, "$1\n  prefix = \""+at.Product+"\"")
}

// unprotected takes the deletion protection of production away.
func unprotected(text string) string {
	return exampleObject.ReplaceAllString(text, "$1\n  deletion_protection = false")
}

func variablesOf(text string) config.Variables {
	values := config.Variables{}
	for _, match := range exampleVariable.FindAllStringSubmatch(text, -1) {
		values[match[1]] = config.StringVariable("example-canary")
	}
	return values
}

// Every resource's example applies, has nothing to do then, and its import
// command works.
func TestAccResourceExamples(t *testing.T) {
	t.Parallel()
	e := newExamples(t)
	paths, err := filepath.Glob("../examples/resources/*/resource.tf")
	mustDo(t, err)
	if len(paths) < 7 {
		t.Fatalf("only %d examples: %v", len(paths), paths)
	}
	for _, path := range paths {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			t.Parallel()
			dir := acctest.DataDir(t)
			text := e.read(t, path)
			variables := variablesOf(text)
			before := acctest.Provider(dir)
			all := []resource.TestStep{}
			if !strings.Contains(text, "slipway_registry") { // how the stand-in is reached
				before = acctest.Join(before, plainRegistry(e.registry))
				all = append(all, resource.TestStep{Config: acctest.Join(before, acctest.Team)})
			}
			whole := acctest.Join(before, text)
			all = append(all,
				resource.TestStep{Config: whole, ConfigVariables: variables},
				resource.TestStep{Config: whole, ConfigVariables: variables, ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
				importStep(t, filepath.Join(filepath.Dir(path), "import.sh"), whole, variables),
				resource.TestStep{Config: acctest.Join(before, unprotected(text)), ConfigVariables: variables},
			)
			steps(t, dir, all...)
		})
	}
}

// importStep imports what the example's command says.
func importStep(t *testing.T, path, whole string, variables config.Variables) resource.TestStep {
	t.Helper()
	script, err := os.ReadFile(path)
	mustDo(t, err)
	command := exampleImport.FindStringSubmatch(string(script))
	if command == nil {
		t.Fatalf("%s has no terraform import", path)
	}
	return resource.TestStep{Config: whole, ConfigVariables: variables, ResourceName: command[1], ImportState: true, ImportStateId: command[2]}
}

// All examples of data sources find what the example of a deployment makes.
func TestAccDataSourceExamples(t *testing.T) {
	e := newExamples(t)
	paths, err := filepath.Glob("../examples/data-sources/*/data-source.tf")
	mustDo(t, err)
	if len(paths) < 13 {
		t.Fatalf("only %d examples: %v", len(paths), paths)
	}
	acctest.Everywhere(t, func(t *testing.T, at *acctest.Runtime) {
		before := acctest.Join(acctest.Provider(at.DataDir), plainRegistry(e.registry))
		world := acctest.Join(before, on(at, unprotected(e.read(t, "../examples/resources/slipway_deployment/resource.tf"))))
		whole := world
		for _, path := range paths {
			text := on(at, e.read(t, path))
			// The stand-in speaks plain HTTP, which only a team's registry allows.
			text = strings.ReplaceAll(text, `data "slipway_image" "nginx" {`, "data \"slipway_image\" \"nginx\" {\n  team_id = \"acme\"")
			text = strings.ReplaceAll(text, "acme/shop/1.5.0", "acme/shop/1.4.0") // the only one that there is
			whole = acctest.Join(whole, text)
		}
		steps(t, at.DataDir,
			resource.TestStep{Config: acctest.Join(before, acctest.Team)},
			resource.TestStep{Config: world},
			resource.TestStep{Config: whole, Check: resource.ComposeTestCheckFunc(
				resource.TestCheckOutput("ready", "true"),
				resource.TestMatchOutput("nginx", regexp.MustCompile(`^sha256:`)),
				resource.TestCheckResourceAttr("data.slipway_deployments.shop", "deployments.0.id", "acme/production/"+at.Product),
				resource.TestMatchResourceAttr("data.slipway_deployment.shop", "version", regexp.MustCompile(`^acme/shop/1\.4\.0@`)),
			)},
			resource.TestStep{Config: whole, ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan())},
		)
	})
}

// The example of the provider's own configuration is understood.
func TestAccProviderExample(t *testing.T) {
	t.Parallel()
	e := newExamples(t)
	dir := acctest.DataDir(t)
	text := strings.ReplaceAll(e.read(t, "../examples/provider/provider.tf"), "/var/lib/slipway", dir)
	_, block, found := strings.Cut(text, "provider \"slipway\"")
	if !found || !strings.Contains(block, dir) {
		t.Fatalf("the example has no provider block with a data_dir:\n%s", text)
	}
	steps(t, dir, resource.TestStep{Config: acctest.Join("provider \"slipway\""+block, acctest.Team)})
}

package deployment_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// Variables and secrets of the environment reach the deployments in the same
// run, and only those components that use them.
func TestAccVariablesAndSecrets(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		image := w.app("1")
		components := api(image, `secrets = ["TOKEN"]`, `secret_files = { "/run/token" = "TOKEN" }`) + component("store", image)
		config := func(token string, number int, variables, deployment string) string {
			return acctest.Join(w.baseWith(fmt.Sprintf(`
  secrets_wo         = { TOKEN = %q, UNUSED = %[1]q }
  secrets_wo_version = %d
  variables          = { %s }`, token, number, variables)), version("1.0.0", components), acctest.Deployment(brisk+deployment))
		}
		own := func(token string, number int) string {
			return fmt.Sprintf("secrets_wo = { TOKEN = %q }\nsecrets_wo_version = %d\n", token, number)
		}
		web := w.site()
		w.run(
			resource.TestStep{
				Config:            config("canary-first", 1, "", ""),
				ConfigStateChecks: []statecheck.StateCheck{state("secrets_wo", knownvalue.Null())},
				Check:             resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/env", "TOKEN=canary-first"), web.answers("/read?path=/run/token", "canary-first")),
			},
			unchanged(config("canary-another", 1, "", "")), // no new version, no new value
			resource.TestStep{
				Config:           config("canary-second", 2, "", ""),
				ConfigPlanChecks: planned(changes("api: replace 1 instance, "+w.swap()+" (secrets)", "store: keep")),
				Check:            resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/env", "TOKEN=canary-second"), web.answers("/read?path=/run/token", "canary-second")),
			},
			unchanged(config("canary-second", 2, "", "")),
			resource.TestStep{
				Config: config("canary-second", 2, `LEVEL = "debug"`, ""),
				ConfigPlanChecks: planned(changes(
					"api: replace 1 instance, "+w.swap()+" (env)", "store: replace 1 instance, start-first (env)")),
				Check: web.answers("/env", "LEVEL=debug"),
			},
			resource.TestStep{
				Config:            config("canary-second", 2, `LEVEL = "debug"`, own("canary-own", 1)),
				ConfigPlanChecks:  planned(changes("api: replace 1 instance, "+w.swap()+" (secrets)", "store: keep")),
				ConfigStateChecks: []statecheck.StateCheck{state("secrets_wo", knownvalue.Null())},
				Check:             web.answers("/env", "TOKEN=canary-own"),
			},
			unchanged(config("canary-second", 2, `LEVEL = "debug"`, own("canary-other", 1))),
			resource.TestStep{ // the deployment's wins over the environment's
				Config: config("canary-third", 3, `LEVEL = "debug"`, own("canary-own", 1)),
				Check:  web.answers("/env", "TOKEN=canary-own"),
			},
			unchanged(config("canary-third", 3, `LEVEL = "debug"`, own("canary-own", 1))),
		)
	})
}

// A variable that is null takes away what weaker layers set, and gives it back when it goes.
func TestAccVariablesTakenAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, acctest.Local(t))
	image, web := w.app("1"), w.site()
	config := func(environment, deployment, override string) string {
		return acctest.Join(w.baseWith("variables = { "+environment+" }"), version("1.0.0", api(image, `env = { A = "1", B = "1", C = "1" }`)),
			acctest.Deployment(brisk+"variables = { "+deployment+" }\ncomponents = { api = { env = { "+override+" } } }"))
	}
	is := func(want string) resource.TestCheckFunc {
		return func(*terraform.State) error {
			text, err := web.get("/env")
			if err != nil {
				return err
			}
			got := ""
			for _, name := range []string{"A", "B", "C"} {
				if _, value, set := strings.Cut("\n"+text, "\n"+name+"="); set {
					value, _, _ = strings.Cut(value, "\n")
					got += name + "=" + value + ";"
				}
			}
			if got != want {
				return fmt.Errorf("the environment is %s, want %s", got, want)
			}
			return nil
		}
	}
	some := config(`A = null, B = null`, `B = ""`, `C = null`)
	w.run(
		resource.TestStep{Config: config("", "", ""), Check: resource.ComposeTestCheckFunc(web.learn("api/http"), is("A=1;B=1;C=1;"))},
		resource.TestStep{
			Config: some, ConfigPlanChecks: planned(changes("api: replace 1 instance, " + w.swap() + " (env)")),
			Check: is("B=;"),
		},
		unchanged(some),
		resource.TestStep{Config: config("", "", ""), Check: is("A=1;B=1;C=1;")},
	)
}

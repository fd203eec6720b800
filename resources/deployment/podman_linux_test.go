package deployment_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// A product's life on Podman, by its socket that speaks Docker's API: an upgrade, a
// bad version, and the end.
func TestAccPodman(t *testing.T) {
	e := testdocker.Podman(t)
	w := newWorld(t, acctest.OnEngine(t, e, fmt.Sprintf("docker = { host = %q }", e.Host)))
	config := func(name, image string) string {
		return w.config(name, api(image, `depends_on = ["store"]`)+component("store", w.app("1")))
	}
	web := w.site()
	var before []string
	good := config("1.1.0", w.app("2"))
	w.run(
		resource.TestStep{
			Config: config("1.0.0", w.app("1")),
			Check:  resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "1"), web.answers("/dial?addr=store:8080", "connected"), w.remember(&before)),
		},
		unchanged(config("1.0.0", w.app("1"))),
		resource.TestStep{Config: good, Check: resource.ComposeTestCheckFunc(web.answers("/", "2"), w.kept(&before, "store"), w.replaced(&before, "api"))},
		unchanged(good),
		resource.TestStep{
			Config: config("2.0.0", w.app("bad", "EXIT_NOW", "7", "EXIT_LINES", "config is missing")),
			ExpectError: told("Update deployment: rollout failed", "Component: api", "exit code 7",
				"Serving: version 1.1.0 was started again and serves", "| config is missing"),
		},
		resource.TestStep{Config: good, Check: web.answers("/", "2")},
		unchanged(good),
	)
}

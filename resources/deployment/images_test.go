package deployment_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// What the registry does not have, or not for this node, is refused at plan.
func TestAccImagesThatCannotRun(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		foreign, err := testimage.BuildApp("foreign", nil, testimage.Options{Platform: "linux/s390x"})
		if err != nil {
			t.Fatal(err)
		}
		good := w.app("1")
		web := w.site()
		config := w.config("1.0.0", api(good))
		name, _, _ := strings.Cut(strings.TrimPrefix(good, w.registry.URL()), ":")
		refused := func(image string, want ...string) resource.TestStep {
			return resource.TestStep{
				Config:      w.config("1.1.0", api(image)),
				PlanOnly:    true,
				ExpectError: told(want...),
			}
		}
		w.run(
			resource.TestStep{Config: config, Check: web.learn("api/http")},
			refused(w.registry.URL()+name+":none", "Plan version: not found", "components.api.image:"),
			refused(w.registry.URL()+name+"@sha256:"+strings.Repeat("0", 64), "Plan version: not found", "components.api.image:"),
			refused(w.push("app:foreign", foreign), "linux/s390x"),
			unchanged(config),
		)
	})
}

// A tag that moves changes nothing of what is resolved.
func TestAccMovedTag(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		tag := w.push("app:latest", testimage.App(t, "1", nil))
		web := w.site()
		config := w.config("1.0.0", api(tag))
		w.run(
			resource.TestStep{Config: config, Check: resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "1"))},
			resource.TestStep{
				PreConfig:        func() { w.push("app:latest", testimage.App(t, "2", nil)) },
				Config:           config,
				ConfigPlanChecks: planned(plancheck.ExpectEmptyPlan()),
				Check:            web.answers("/", "1"),
			},
		)
	})
}

// A first deployment that fails leaves no state, nothing on the node, nothing
// tainted: what is mended is simply created.
func TestAccFirstDeploymentThatFails(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		web := w.site()
		bad := w.config("1.0.0", api(w.app("bad", "EXIT_NOW", "7", "EXIT_LINES", "no luck"), `volumes = { data = { path = "/data" } }`))
		mended := w.config("1.0.0", api(w.app("1"), `volumes = { data = { path = "/data" } }`))
		w.run(
			resource.TestStep{
				Config: bad,
				ExpectError: told("Create deployment: rollout failed", "Deployment: "+w.Deployment(), "Component: api", "Phase: start", "Exit code: 7",
					"Serving: nothing: the first deployment failed and left nothing behind", operation, "| no luck", "Nothing is in the state: mend the cause and apply again"),
			},
			resource.TestStep{
				PreConfig:        func() { w.expectLeft() },
				Config:           mended,
				ConfigPlanChecks: planned(plancheck.ExpectResourceAction(address, plancheck.ResourceActionCreate)),
				Check:            resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "1"), w.look),
			},
			unchanged(mended),
		)
	})
}

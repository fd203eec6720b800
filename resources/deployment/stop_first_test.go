package deployment_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// Where two versions cannot live side by side the plan says so and why, and the
// old one is started again, with its data, when the new one fails.
func TestAccStopFirst(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		components := func(image string) string {
			return api(image, `volumes = { data = { path = "/data" } }`, `files = { "/etc/app/greeting" = { content = "hello" } }`)
		}
		good, bad, mended := w.app("1"), w.app("bad", "EXIT_NOW", "7", "EXIT_LINES", "schema is too old"), w.app("2")
		line := "api: replace 1 instance, " + w.swap("single-writer volume data") + " (image sha256:…"
		web := w.site()
		t.Cleanup(func() { w.expectLeft("api.data") })
		w.run(
			resource.TestStep{
				Config: w.config("1.0.0", components(good)),
				Check: resource.ComposeTestCheckFunc(w.look, web.learn("api/http"), web.answers("/write?path=/data/note&text=kept", "written"),
					web.answers("/read?path=/etc/app/greeting", "hello")),
			},
			resource.TestStep{
				Config:           w.config("1.1.0", components(bad)),
				ConfigPlanChecks: planned(changes(line)),
				ExpectError: told("Update deployment: rollout failed", "Component: api", "Phase: start", "Exit code: 7",
					"Serving: version 1.0.0 was started again and serves", operation, "| schema is too old"),
			},
			w.offeredAgain("1.0.0", nil, web.learn("api/http"), web.answers("/", "1"), web.answers("/read?path=/data/note", "kept")),
			resource.TestStep{
				Config:           w.config("1.1.0", components(mended)),
				ConfigPlanChecks: planned(changes(line)),
				Check:            resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "2"), web.answers("/read?path=/data/note", "kept")),
			},
			resource.TestStep{ // what is planned with a chosen port says so too
				Config:           w.config("1.2.0", fmt.Sprintf(`api = { image = %q, ports = { http = { container_port = 8080, host_port = 0 } } }`, mended)),
				ConfigPlanChecks: planned(changes("api: replace 1 instance, " + w.swap() + " (files, health_checks, volumes)")),
				Check:            resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "2")),
			},
		)
	})
}

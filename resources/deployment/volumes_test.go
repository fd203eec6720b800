package deployment_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
)

// A volume that a later version has no more stays for a rollback, and ends with the
// deployment as its last version says.
func TestAccDroppedVolumesEndWithTheirDeployment(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		image := w.app("1")
		with := component("api", image, `volumes = {
        cache = { path = "/cache", on_destroy = "delete" }
        data  = { path = "/data" }
      }`)
		t.Cleanup(func() { w.expectLeft("api.data") })
		w.run(
			resource.TestStep{Config: w.config("1.0.0", with)},
			resource.TestStep{Config: w.config("2.0.0", component("web", image))},
		)
	})
}

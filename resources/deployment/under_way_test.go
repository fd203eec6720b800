package deployment_test

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/provider/acctest"
)

// What somebody else is just deploying can be neither changed nor destroyed:
// whoever wants to waits, and then is told who it is.
func TestAccScenarioUnderWay(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		web := w.site()
		config := func(deployed int) string {
			wanted := "v2"
			if deployed == 3 {
				wanted = "v3"
			}
			return acctest.Join(w.base(), release(2, "", api(w.app("2"))), release(3, "slipway_version.v2.id", component("api", w.app("3", "HEALTH", "fail"))), `
resource "slipway_deployment" "shop" {
  environment_id = slipway_environment.staging.id
  version        = slipway_version.`+wanted+`.ref
  timeouts       = { update = "8s" }
`+brisk+`}
`)
		}
		var stop func()
		w.run(
			resource.TestStep{
				Config: config(2),
				Check:  resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "2")),
			},
			w.scenario(14, "delete v3 in progress", resource.TestStep{
				PreConfig: func() { stop = w.deploying("3.0.0") },
				Config:    config(2), Destroy: true,
				ExpectError: told("Destroy deployment: conflict", "revision 2 of the deployment "+w.Deployment()+" is being rolled out", "Wait until it has finished"),
			}),
			w.scenario(14, "edit v3 in progress", resource.TestStep{
				Config: config(3), ExpectError: told("Update deployment: busy", w.Deployment(), "process"),
			}),
			resource.TestStep{
				PreConfig: func() { stop() },
				Config:    config(2),
				Check:     resource.ComposeTestCheckFunc(web.answers("/", "2"), w.revisions("failed", "successful")),
			},
		)
	})
}

// deploying lets somebody else deploy a version that does not become healthy, and
// answers when that is under way; stop ends it.
func (w *world) deploying(version string) (stop func()) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	service := acctest.Engine(w.t, w.DataDir)
	d, err := service.Deployment(ctx, w.Deployment())
	if err != nil {
		w.t.Fatal(err)
	}
	d.Version, d.Strategy.ProgressDeadline = w.Version(version), "10m" // it ends when it is told to
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = service.UpdateDeployment(ctx, d, nil)
	}()
	stop = func() {
		cancel()
		<-done
	}
	w.t.Cleanup(stop)
	w.until(func() bool {
		all, err := service.Revisions(ctx, d.ID)
		return err == nil && all[0].Status == engine.RevisionInProgress
	})
	return stop
}

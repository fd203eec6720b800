package planned_test

import (
	"sync"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/internal/planned"
)

func TestTable(t *testing.T) {
	var table planned.Table
	if _, ok := table.Version("a/b/1"); ok || len(table.Versions()) != 0 {
		t.Error("an empty table has a version")
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			table.PutVersion(engine.Version{ID: "a/b/1", Digest: "sha256:1"})
			table.PutEnvironment(planned.Environment{Environment: engine.Environment{ID: "a/e"}, SecretsChanged: true})
			table.PutDeployment(engine.Deployment{ID: "a/e/d", Version: "a/b/1"})
			table.Deployments()["a/e/x"] = engine.Deployment{} // a copy
			table.Versions()["a/b/2"] = engine.Version{}       // a copy
		})
	}
	all.Wait()
	if v, ok := table.Version("a/b/1"); !ok || v.Digest != "sha256:1" {
		t.Errorf("got %v, %v", v, ok)
	}
	if len(table.Versions()) != 1 {
		t.Error("the answer is not a copy")
	}
	if all := table.Deployments(); len(all) != 1 || all["a/e/d"].Version != "a/b/1" {
		t.Errorf("got %v", all)
	}
	if e, ok := table.Environment("a/e"); !ok || !e.SecretsChanged {
		t.Errorf("got %v, %v", e, ok)
	}
}

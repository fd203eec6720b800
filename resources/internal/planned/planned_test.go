package planned_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/internal/planned"
)

func TestTable(t *testing.T) {
	var table planned.Table
	if diff := cmp.Diff(engine.Planned{}, table.All()); diff != "" {
		t.Errorf("an empty table holds something (-want +got):\n%s", diff)
	}
	password := "secret"
	want := engine.Planned{
		Nodes:        map[string]engine.Node{"a/n": {ID: "a/n"}},
		Registries:   map[string]engine.PlannedRegistry{"a/r": {Registry: engine.Registry{ID: "a/r"}, Password: &password}},
		Products:     map[string]engine.Product{"a/p": {ID: "a/p"}},
		Versions:     map[string]engine.Version{"a/p/1": {ID: "a/p/1", Digest: "sha256:1"}},
		Environments: map[string]engine.PlannedEnvironment{"a/e": {Environment: engine.Environment{ID: "a/e"}, SecretsChanged: true}},
		Deployments:  map[string]engine.Deployment{"a/e/d": {ID: "a/e/d", Version: "a/p/1"}},
		Leaving:      map[string]bool{"a/e/old": true},
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			table.PutNode(want.Nodes["a/n"])
			table.PutRegistry(want.Registries["a/r"])
			table.PutProduct(want.Products["a/p"])
			table.PutVersion(want.Versions["a/p/1"])
			table.PutEnvironment(want.Environments["a/e"])
			table.PutDeployment(want.Deployments["a/e/d"])
			table.Leave("a/e/old")
			given := table.All() // a copy
			clear(given.Nodes)
			clear(given.Registries)
			clear(given.Products)
			clear(given.Versions)
			clear(given.Environments)
			clear(given.Deployments)
			clear(given.Leaving)
		})
	}
	all.Wait()
	if diff := cmp.Diff(want, table.All()); diff != "" {
		t.Errorf("what was put is not there (-want +got):\n%s", diff)
	}
	if e, ok := table.Environment("a/e"); !ok || !e.SecretsChanged {
		t.Errorf("got %v, %v", e, ok)
	}
}

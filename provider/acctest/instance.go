package acctest

import (
	"path/filepath"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local"
)

// RemoveInstance takes one instance of a deployment from the local node acme/here,
// behind the back of engine and Terraform.
func RemoveInstance(t testing.TB, dataDir, deployment, name string) {
	t.Helper()
	driver, err := local.New(local.Config{
		Root: filepath.Join(dataDir, "nodes", "acme", "here"), EngineID: Engine(t, dataDir).EngineID()})
	if err != nil {
		t.Fatal(err)
	}
	key := node.Key{Deployment: deployment, Name: name}
	if err := driver.Stop(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if err := driver.Remove(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

// Package acctest helps acceptance tests: the real provider over the real
// embedded engine, driven by the terraform or tofu that TF names or that is
// on PATH. They need no TF_ACC: use resource.UnitTest.
package acctest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testenv"
	"github.com/slipwayhq/terraform-provider-slipway/provider"
)

// Factory makes provider servers for a test case.
type Factory = map[string]func() (tfprotov6.ProviderServer, error)

// Main is the TestMain of packages with acceptance tests. Local nodes start this
// very test binary as their supervisor, and the developer's own Terraform
// settings must not leak in.
func Main(m *testing.M) {
	local.Main()
	settings, err := os.MkdirTemp("", "slipway-acctest-")
	if err != nil {
		panic(err)
	}
	rc := filepath.Join(settings, "terraformrc")
	if err := os.WriteFile(rc, nil, 0o600); err != nil {
		panic(err)
	}
	program, err := testenv.Terraform()
	if err != nil {
		panic(err)
	}
	for name, value := range map[string]string{
		"TF_ACC_TERRAFORM_PATH": program, "TF_ACC_PROVIDER_HOST": testenv.ProviderHost(program),
		"TF_CLI_CONFIG_FILE": rc, "CHECKPOINT_DISABLE": "1", "TFC_RUN_ID": "",
		"SLIPWAY_DATA_DIR": "", "SLIPWAY_ENCRYPTION_KEY": "", "SLIPWAY_ALLOW_EPHEMERAL_DATA_DIR": "",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	_ = os.RemoveAll(settings)
	os.Exit(code)
}

// DataDir is a new, empty data directory. Its path is short, since local nodes
// keep sockets below it.
func DataDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "slw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// Factories gives the provider over embedded engines; every data directory is
// opened once and closed when the test ends. Another call opens anew, as
// another process would.
func Factories(t testing.TB) Factory {
	t.Helper()
	made := provider.Server("test", func(ctx context.Context, cfg provider.Config) (engine.Service, error) {
		service, err := core.Open(ctx, core.Config{DataDir: cfg.DataDir, EncryptionKey: cfg.EncryptionKey})
		if err == nil {
			t.Cleanup(func() { _ = service.Close() })
		}
		return service, err
	})
	return Factory{"slipway": func() (tfprotov6.ProviderServer, error) {
		return made(), nil
	}}
}

// Engine opens the engine of a data directory beside the provider's, to look at
// or change things behind Terraform's back.
func Engine(t testing.TB, dataDir string) *core.Engine {
	t.Helper()
	service, err := core.Open(t.Context(), core.Config{DataDir: dataDir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = service.Close() })
	return service
}

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testenv"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

const (
	providerVersion = "0.1.0"
	registryUser    = "ci"
	// registryPassword is a canary too: it must be found nowhere.
	registryPassword = "canary-registry-5f1b8c"
)

// Made once for all tests.
var (
	mirror    string // filesystem mirror with the built provider
	cliConfig string // leads terraform to the mirror and nowhere else
	program   string // terraform or tofu
	registry  *testimage.RegistryServer
)

func TestMain(m *testing.M) {
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func runAll(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "slipway-e2e-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)                      //nolint:errcheck // temporary
	if err := os.Chmod(dir, 0o755); err != nil { // for tests as another user
		return 1, err
	}
	if program, err = testenv.Terraform(); err != nil {
		return 1, err
	}
	if err := buildMirror(dir); err != nil {
		return 1, err
	}
	registry, err = testimage.NewRegistry(testimage.RegistryOptions{Username: registryUser, Password: registryPassword})
	if err != nil {
		return 1, err
	}
	defer registry.Close()
	if err := pushImages(registry); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// buildMirror builds the provider as a user would, into a mirror for both of
// the registries that terraform and tofu believe in.
func buildMirror(dir string) error {
	mirror, cliConfig = filepath.Join(dir, "mirror"), filepath.Join(dir, "cli.tfrc")
	binary := filepath.Join(dir, "provider")
	build := exec.Command("go", "build", "-o", binary, "../..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	for _, host := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		place := filepath.Join(mirror, host, "slipwayhq/slipway", providerVersion, runtime.GOOS+"_"+runtime.GOARCH)
		if err := os.MkdirAll(place, 0o755); err != nil {
			return err
		}
		if err := os.Link(binary, filepath.Join(place, "terraform-provider-slipway_v"+providerVersion)); err != nil {
			return err
		}
	}
	return os.WriteFile(cliConfig, fmt.Appendf(nil, "disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror), 0o644)
}

// images of the application that the tests deploy, by tag: how they behave.
var images = map[string]map[string]string{
	"db":    nil,
	"1.0.0": nil,
	"1.1.0": nil,
	"1.2.0": nil,
	"loose": nil,
	"ill":   {"FAIL_SHARE": "0.5"},
	"sick":  {"HEALTH": "fail"},
	"crash": {"EXIT_NOW": "3", "EXIT_LINES": "cannot go on"},
	"deaf":  {"LISTEN": ":9999"},
}

func pushImages(r *testimage.RegistryServer) error {
	for tag, env := range images {
		image, err := testimage.BuildApp(tag, env, testimage.Options{})
		if err != nil {
			return err
		}
		if _, err := r.Store("app:"+tag, image); err != nil {
			return err
		}
	}
	return nil
}

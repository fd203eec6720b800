package testenv_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testenv"
)

// TestTerraform puts programs into directories that stand for PATH.
func TestTerraform(t *testing.T) {
	only, both := t.TempDir(), t.TempDir()
	for _, path := range []string{filepath.Join(only, "tofu"), filepath.Join(both, "tofu"), filepath.Join(both, "terraform")} {
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct{ path, tf, want, host string }{
		"terraform first":      {both, "", filepath.Join(both, "terraform"), "registry.terraform.io"},
		"the only one":         {only, "", filepath.Join(only, "tofu"), "registry.opentofu.org"},
		"as named":             {both, "tofu", filepath.Join(both, "tofu"), "registry.opentofu.org"},
		"by path":              {both, filepath.Join(only, "tofu"), filepath.Join(only, "tofu"), "registry.opentofu.org"},
		"named, but not there": {only, "terraform", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", test.path)
			t.Setenv("TF", test.tf)
			t.Setenv("TF_ACC_TERRAFORM_PATH", "")
			got, err := testenv.Terraform()
			switch {
			case got != test.want:
				t.Errorf("found %q, %v; want %q", got, err, test.want)
			case got == "":
				if err == nil || !strings.HasPrefix(err.Error(), "terraform is not on PATH: ") {
					t.Errorf("refused with %v", err)
				}
			case testenv.ProviderHost(got) != test.host:
				t.Errorf("host %q, want %q", testenv.ProviderHost(got), test.host)
			}
		})
	}
	t.Run("relative", func(t *testing.T) {
		t.Chdir(both)
		t.Setenv("TF", "./tofu")
		if got, err := testenv.Terraform(); err != nil || !filepath.IsAbs(got) {
			t.Errorf("found %q, %v; want an absolute path", got, err)
		}
	})
}

package testenv

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Terraform is the absolute path of the program that TF names (or the variable
// that terraform-plugin-testing has for it), else of the terraform or tofu on PATH.
func Terraform() (string, error) {
	names := []string{"terraform", "tofu"}
	if named := cmp.Or(os.Getenv("TF"), os.Getenv("TF_ACC_TERRAFORM_PATH")); named != "" {
		names = []string{named}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", fmt.Errorf("%s is not on PATH: install Terraform or OpenTofu, 1.11 or newer, or name one in TF", strings.Join(names, " or "))
}

// ProviderHost is where the program believes that providers without a host come from.
func ProviderHost(program string) string {
	if strings.Contains(filepath.Base(program), "tofu") {
		return "registry.opentofu.org"
	}
	return "registry.terraform.io"
}

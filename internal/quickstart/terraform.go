package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// oldestTerraform has write-only attributes; OpenTofu counts alike.
const oldestTerraform = ">= 1.11.0-0"

// terraform runs Terraform or OpenTofu on the example with the provider of the mirror.
type terraform struct {
	program string
	layout  layout
	vars    map[string]string
	out     io.Writer
}

// findTerraform answers the program's path, or what to install.
func findTerraform(ctx context.Context, wanted string) (string, error) {
	candidates := []string{"terraform", "tofu"}
	if wanted != "" {
		candidates = []string{wanted}
	}
	for _, candidate := range candidates {
		program, err := exec.LookPath(candidate)
		if err != nil {
			continue
		}
		if program, err = filepath.Abs(program); err != nil { // it runs elsewhere
			return "", err
		}
		return program, checkVersion(ctx, program)
	}
	return "", fmt.Errorf("%s is not on PATH: install Terraform or OpenTofu, 1.11 or newer", strings.Join(candidates, " or "))
}

func checkVersion(ctx context.Context, program string) error {
	cmd := exec.CommandContext(ctx, program, "version", "-json")
	cmd.Env = append(cleanEnvironment(os.Environ()), "CHECKPOINT_DISABLE=1")
	raw, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s version: %w", program, err)
	}
	var answer struct {
		Version string `json:"terraform_version"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("%s version: %w", program, err)
	}
	version, err := semver.NewVersion(answer.Version)
	if err != nil {
		return fmt.Errorf("%s version: %w", program, err)
	}
	oldest, err := semver.NewConstraint(oldestTerraform)
	if err != nil {
		return err
	}
	if !oldest.Check(version) {
		return fmt.Errorf("%s is version %s, at least 1.11 is needed", program, version)
	}
	return nil
}

// configure writes the CLI configuration: our provider comes from the mirror,
// and nothing comes from anywhere else.
func (t terraform) configure() error {
	providers := make([]string, 0, 2)
	for _, host := range []string{"registry.terraform.io", "registry.opentofu.org"} {
		if _, err := os.Stat(filepath.Join(t.layout.mirror(), host, "slipwayhq", "slipway")); err != nil {
			return fmt.Errorf("the provider is not built: run `make mirror`: %w", err)
		}
		providers = append(providers, fmt.Sprintf("%q", host+"/slipwayhq/slipway"))
	}
	config := fmt.Sprintf(`disable_checkpoint = true

provider_installation {
  filesystem_mirror {
    path    = %q
    include = [%s]
  }
}
`, t.layout.mirror(), strings.Join(providers, ", "))
	return os.WriteFile(t.layout.cliConfig(), []byte(config), 0o600)
}

// name is what to type for the program.
func (t terraform) name() string {
	name := filepath.Base(t.program)
	if found, err := exec.LookPath(name); err == nil && found == t.program {
		return name
	}
	return t.program
}

// init installs the provider anew: a rebuilt one has another checksum than the
// lock file remembers.
func (t terraform) init(ctx context.Context) error {
	lock := filepath.Join(t.layout.example, ".terraform.lock.hcl")
	if err := os.Remove(lock); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if said, err := t.quietly(ctx, "init", "-input=false", "-no-color"); err != nil {
		return fmt.Errorf("init: %w\n%s", err, said)
	}
	return nil
}

// apply shows what Terraform says while it says it, and answers it too.
func (t terraform) apply(ctx context.Context) (string, error) {
	return t.run(ctx, t.out, "apply", "-auto-approve", "-input=false", "-no-color")
}

func (t terraform) destroy(ctx context.Context) error {
	_, err := t.run(ctx, t.out, "destroy", "-auto-approve", "-input=false", "-no-color")
	return err
}

// url is where the last apply said that the guestbook answers.
func (t terraform) url(ctx context.Context) (string, error) {
	said, err := t.quietly(ctx, "output", "-no-color", "-raw", "url")
	if err != nil {
		return "", fmt.Errorf("output: %w\n%s", err, said)
	}
	return strings.TrimSpace(said), nil
}

func (t terraform) quietly(ctx context.Context, args ...string) (string, error) {
	return t.run(ctx, io.Discard, args...)
}

func (t terraform) run(ctx context.Context, out io.Writer, args ...string) (string, error) {
	var said bytes.Buffer
	// Not CommandContext: an interrupted apply must end by itself.
	cmd := exec.Command(t.program, args...)
	cmd.Dir = t.layout.example
	cmd.Env = slices.Concat(cleanEnvironment(os.Environ()), t.environment())
	cmd.Stdout = io.MultiWriter(out, &said)
	cmd.Stderr = cmd.Stdout
	err := cmd.Run()
	if err == nil {
		err = ctx.Err()
	}
	return said.String(), err
}

func (t terraform) environment() []string {
	env := []string{"TF_CLI_CONFIG_FILE=" + t.layout.cliConfig(), "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1"}
	for name, value := range t.vars {
		env = append(env, "TF_VAR_"+name+"="+value)
	}
	return env
}

// cleanEnvironment drops what would lead Terraform or the provider elsewhere.
func cleanEnvironment(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(pair string) bool {
		return strings.HasPrefix(pair, "TF_") || strings.HasPrefix(pair, "TFC_") || strings.HasPrefix(pair, "SLIPWAY_")
	})
}

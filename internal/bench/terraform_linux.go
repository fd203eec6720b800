package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/stats"
)

// providerVersion is the version under which the mirror has our providers.
const providerVersion = "0.0.1"

// hosts are where terraform and tofu believe that providers come from.
var hosts = []string{"registry.terraform.io", "registry.opentofu.org"}

// terraform finds its providers in a mirror of this run.
type terraform struct {
	program string
	config  string // its CLI configuration
}

// project is a directory with a configuration.
type project struct {
	terraform
	dir string
}

// terraform builds the providers into the mirror.
func (b *bench) terraform(ctx context.Context) (terraform, error) {
	program, err := findTerraform(b.tf)
	if err != nil {
		return terraform{}, err
	}
	mirror := filepath.Join(b.dir, "m")
	for name, pkg := range map[string]string{"slipway": "", "floor": "/internal/bench/floor"} {
		path := filepath.Join("slipwayhq", name, providerVersion, runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-"+name+"_v"+providerVersion)
		if _, err := b.build(ctx, pkg, filepath.Join(mirror, hosts[0], path)); err != nil {
			return terraform{}, err
		}
	}
	if err := os.Symlink(hosts[0], filepath.Join(mirror, hosts[1])); err != nil && !errors.Is(err, os.ErrExist) {
		return terraform{}, err
	}
	t := terraform{program: program, config: filepath.Join(b.dir, "terraformrc")}
	text := fmt.Sprintf("disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", mirror)
	return t, os.WriteFile(t.config, []byte(text), 0o600)
}

func findTerraform(wanted string) (string, error) {
	names := []string{"terraform", "tofu"}
	if wanted != "" {
		names = []string{wanted}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return filepath.Abs(path) // it runs elsewhere
		}
	}
	return "", fmt.Errorf("%s is not on PATH: install Terraform or OpenTofu, 1.11 or newer, or choose others with -only", strings.Join(names, " or "))
}

// project writes a configuration and installs its provider.
func (b *bench) project(ctx context.Context, name, configuration string) (project, error) {
	t, err := b.terraform(ctx)
	if err != nil {
		return project{}, err
	}
	p := project{terraform: t, dir: filepath.Join(b.dir, name)}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return p, err
	}
	if err := os.WriteFile(filepath.Join(p.dir, "main.tf"), []byte(configuration), 0o600); err != nil {
		return p, err
	}
	_, err = p.run(ctx, "init")
	return p, err
}

// interruptPatience is how long an interrupted terraform may take to end by
// itself: a rollout is put back first.
const interruptPatience = 3 * time.Minute

// run runs one command of terraform and tells what it cost, with its providers.
func (p project) run(ctx context.Context, command string, args ...string) (stats.Cost, error) {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, p.program, append([]string{command, "-input=false", "-no-color"}, args...)...)
	cmd.Dir = p.dir
	cmd.Env = append(cleanEnvironment(), "TF_CLI_CONFIG_FILE="+p.config, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1")
	cmd.Stdout, cmd.Stderr = &said, &said
	// Its own process group: Ctrl-C reaches it once, from here.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = interruptPatience
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return stats.Cost{}, fmt.Errorf("terraform %s in %s: %w\n%s", command, filepath.Base(p.dir), err, said.Bytes())
	}
	return stats.Cost{Wall: time.Since(began), CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}, nil
}

// plan plans, and fails unless nothing changes.
func (p project) plan(ctx context.Context) (stats.Cost, error) {
	return p.run(ctx, "plan", "-detailed-exitcode")
}

// cleanEnvironment drops what would lead terraform or the provider elsewhere.
func cleanEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(pair string) bool {
		return strings.HasPrefix(pair, "TF_") || strings.HasPrefix(pair, "TFC_") || strings.HasPrefix(pair, "SLIPWAY_")
	})
}

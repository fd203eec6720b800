package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// layout says where things are; every path is absolute.
type layout struct {
	run     string // made by make and by this program
	example string // main.tf and what Terraform keeps beside it
}

func newLayout(run, example string) (layout, error) {
	run, err := filepath.Abs(run)
	if err != nil {
		return layout{}, err
	}
	example, err = filepath.Abs(example)
	if err != nil {
		return layout{}, err
	}
	if _, err := os.Stat(filepath.Join(example, "main.tf")); err != nil {
		return layout{}, fmt.Errorf("there is no configuration in %s: run this in the root of the repository", example)
	}
	return layout{run: run, example: example}, nil
}

func (l layout) mirror() string       { return filepath.Join(l.run, "mirror") }
func (l layout) cliConfig() string    { return filepath.Join(l.run, "cli.tfrc") }
func (l layout) environment() string  { return filepath.Join(l.run, "env") }
func (l layout) passwordFile() string { return filepath.Join(l.run, "registry-password") }
func (l layout) addressFile() string  { return filepath.Join(l.run, "registry-address") }
func (l layout) pidFile() string      { return filepath.Join(l.run, "registry.pid") }
func (l layout) registryLog() string  { return filepath.Join(l.run, "registry.log") }
func (l layout) blobs() string        { return filepath.Join(l.run, "registry") }
func (l layout) state() string        { return filepath.Join(l.example, "terraform.tfstate") }

// leftovers are what Terraform and the engine keep beside the example.
func (l layout) leftovers() []string {
	names := []string{".terraform", ".terraform.lock.hcl", "terraform.tfstate", "terraform.tfstate.backup", ".slipway"}
	paths := make([]string, len(names))
	for i, n := range names {
		paths[i] = filepath.Join(l.example, n)
	}
	return paths
}

// password is the registry's: made once, readable by its owner only.
func (l layout) password() (string, error) {
	raw, err := os.ReadFile(l.passwordFile())
	if errors.Is(err, fs.ErrNotExist) {
		fresh := rand.Text()
		return fresh, os.WriteFile(l.passwordFile(), []byte(fresh), 0o600)
	}
	return string(raw), err
}

// address is where the registry was last seen, "" when it never ran.
func (l layout) address() string {
	raw, err := os.ReadFile(l.addressFile())
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(raw))
}

// removeAll removes the tree even where directories of unpacked images deny
// writing to their owner.
func removeAll(root string) error {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", root, err)
	}
	return os.RemoveAll(root)
}

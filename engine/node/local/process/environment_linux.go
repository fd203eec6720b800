package process

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/account"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/inside"
)

// DefaultPath is the PATH of an image that names none, as Docker has it.
const DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Environment merges NAME=value lists, later ones win, and gives them ordered by name.
func Environment(lists ...[]string) []string {
	values := map[string]string{"PATH": DefaultPath}
	for _, list := range lists {
		for _, entry := range list {
			name, value, _ := strings.Cut(entry, "=")
			values[name] = value
		}
	}
	merged := make([]string, 0, len(values))
	for name, value := range values {
		merged = append(merged, name+"="+value)
	}
	slices.Sort(merged)
	return merged
}

func (c Command) environment(who account.Account) []string {
	if value(c.Env, "HOME") != "" {
		return c.Env
	}
	home := who.Home
	if home == "" {
		home = "/"
	}
	return append(slices.Clone(c.Env), "HOME="+home)
}

func value(env []string, name string) string {
	for _, entry := range env {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			return v
		}
	}
	return ""
}

// find looks for the program where the instance would.
func find(root *inside.Root, name, workingDir string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join("/", workingDir, path)
		}
		return path, runnable(root, name, path)
	}
	for _, dir := range filepath.SplitList(value(env, "PATH")) {
		path := filepath.Join("/", workingDir, dir, name)
		if filepath.IsAbs(dir) {
			path = filepath.Join(dir, name)
		}
		if runnable(root, name, path) == nil {
			return path, nil
		}
	}
	e := engine.Invalid("command", "the image has no program %q in its PATH %s", name, value(env, "PATH"))
	e.Hint = "check command and args, or give the program's whole path"
	return "", e
}

func runnable(root *inside.Root, name, path string) error {
	info, err := stat(root, path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, os.ErrInvalid):
		e := engine.Invalid("command", "the image has no file %s", name)
		e.Hint = "check command and args"
		return e
	case err != nil:
		return engine.Invalid("command", "%s: %v", name, err)
	case info.IsDir():
		return engine.Invalid("command", "%s is a directory", name)
	case info.Mode()&0o111 == 0:
		return engine.Invalid("command", "%s is not executable", name)
	}
	return nil
}

func stat(root *inside.Root, path string) (fs.FileInfo, error) {
	f, err := root.Find(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Stat()
}

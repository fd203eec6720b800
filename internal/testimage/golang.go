package testimage

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// FromGo builds a static Go program and makes an image of it alone: the program is
// /app and the entrypoint, unless the options name another. source is the
// directory of a main package, or the text of a main.go. Programs may use the
// standard library only.
func FromGo(t testing.TB, source string, o Options) v1.Image {
	t.Helper()
	return must(t)(BuildGo(source, o))
}

// BuildGo is FromGo without a test.
func BuildGo(source string, o Options) (v1.Image, error) {
	program, err := Program(source, o.platform())
	if err != nil {
		return nil, err
	}
	binary, err := programLayer(program)
	if err != nil {
		return nil, err
	}
	if len(o.Entrypoint) == 0 {
		o.Entrypoint = []string{"/app"}
	}
	return Assemble(o, binary)
}

// programLayers are the layers that this process made, by the program's path.
var programLayers sync.Map

// programLayer has the program as /app.
func programLayer(program string) (v1.Layer, error) {
	if made, ok := programLayers.Load(program); ok {
		return made.(v1.Layer), nil //nolint:errcheck // nothing else is in it
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	made, err := Layer(File{Path: "/app", Content: string(content), Mode: 0o755})
	if err == nil {
		programLayers.Store(program, made)
	}
	return made, err
}

func (o Options) platform() v1.Platform {
	if o.Platform == "" {
		return v1.Platform{OS: "linux", Architecture: runtime.GOARCH}
	}
	parts := append(strings.SplitN(o.Platform, "/", 3), "", "")
	return v1.Platform{OS: parts[0], Architecture: parts[1], Variant: parts[2]}
}

// Program builds a static program as FromGo does and answers its path in the cache.
func Program(source string, p v1.Platform) (string, error) {
	files, err := goFiles(source)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	_, _ = fmt.Fprintln(sum, runtime.Version(), p.OS, p.Architecture)
	for _, f := range files {
		_, _ = fmt.Fprintf(sum, "%s %d\n%s", f.Path, len(f.Content), f.Content)
	}
	return cached("go/"+hex.EncodeToString(sum.Sum(nil)[:12]), func(target string) error {
		return build(target, files, p)
	})
}

// goFiles gives the sources by name, in order.
func goFiles(source string) ([]File, error) {
	if strings.Contains(source, "package main") {
		return []File{{Path: "main.go", Content: source}}, nil
	}
	paths, err := filepath.Glob(filepath.Join(source, "*.go"))
	if err != nil || len(paths) == 0 {
		return nil, errors.Join(err, fmt.Errorf("%s has no Go files", source))
	}
	var files []File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, File{Path: filepath.Base(path), Content: string(content)})
	}
	return files, nil
}

// build compiles in a directory of its own: where the sources lie must not matter.
func build(target string, files []File, p v1.Platform) error {
	dir, err := os.MkdirTemp("", "testimage-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	files = append(files, File{Path: "go.mod", Content: "module testimage.invalid/app\n\ngo 1.24\n"})
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Path), []byte(f.Content), 0o600); err != nil {
			return err
		}
	}
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", target, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=", "GOOS="+p.OS, "GOARCH="+p.Architecture)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// cached gives the path of something made once for all runs of this user; build
// writes it to the path that it is given.
func cached(key string, build func(target string) error) (string, error) {
	target := filepath.Join(cacheDir(), filepath.FromSlash(key))
	if _, err := os.Stat(target); err == nil {
		return target, nil
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(filepath.Dir(target), "making-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	draft := filepath.Join(dir, "draft")
	if err := build(draft); err != nil {
		return "", err
	}
	err = os.Rename(draft, target)
	if _, there := os.Stat(target); there == nil { // somebody else may have been quicker
		return target, nil
	}
	return target, err
}

func cacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = filepath.Join(os.TempDir(), fmt.Sprintf("cache-%d", os.Getuid()))
	}
	return filepath.Join(dir, "slipway-testimage")
}

// copyEntry writes one entry of an archive as a program.
func copyEntry(archive io.Reader, path, to string) error {
	in := tar.NewReader(archive)
	for {
		h, err := in.Next()
		if err != nil {
			return err
		}
		if h.Name != path {
			continue
		}
		out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o700)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		return errors.Join(err, out.Close())
	}
}

package testimage

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Caddy is the proxy of tools/caddy, laid out as Caddy's own image: the program
// is /usr/bin/caddy, /config and /data are where it keeps what it needs again.
// With its module layer4 it has what TCP routes want.
func Caddy(t testing.TB) v1.Image {
	t.Helper()
	return must(t)(BuildCaddy(Options{}))
}

// BuildCaddy is Caddy without a test, with more options.
func BuildCaddy(o Options) (v1.Image, error) {
	program, err := caddyTool("linux", "caddy", ".")
	if err != nil {
		return nil, err
	}
	dir, err := cached(filepath.Base(filepath.Dir(program))+"/"+filepath.Base(program)+"-layer", func(target string) error {
		return caddyLayer(program, target)
	})
	if err != nil {
		return nil, err
	}
	layers, err := layersIn(dir)
	if err != nil {
		return nil, err
	}
	o.Cmd = append(o.Cmd, "caddy", "run")
	o.WorkingDir = "/srv"
	o.Env = map[string]string{"PATH": systemPath, "XDG_CONFIG_HOME": "/config", "XDG_DATA_HOME": "/data"}
	o.Ports = append(o.Ports, "80/tcp", "443/tcp", "443/udp", "2019/tcp")
	return Assemble(o, layers...)
}

// caddyLayer makes an OCI layout with the program in one compressed layer: it is
// large, and sent to many registries.
func caddyLayer(program, target string) error {
	content, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	archive := target + ".tar"
	out, err := os.Create(archive)
	if err != nil {
		return err
	}
	files := []File{
		{Path: "/etc/"}, {Path: "/etc/passwd", Content: "root:x:0:0::/root:/bin/false\nnobody:x:65534:65534::/:/bin/false\n"},
		{Path: "/etc/group", Content: "root:x:0:\nnogroup:x:65534:\n"},
		{Path: "/tmp/", Mode: 0o1777}, {Path: "/srv/"}, {Path: "/config/"}, {Path: "/data/"}, {Path: "/run/"},
		{Path: "/usr/"}, {Path: "/usr/bin/"}, {Path: "/usr/bin/caddy", Content: string(content), Mode: 0o755},
	}
	if err := WriteTar(out, files...); err != nil {
		_ = out.Close()
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	layer, err := tarball.LayerFromFile(archive, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return err
	}
	return writeLayout(target, layer)
}

// CaddyProgram is the path of Caddy itself, with layer4, for this machine.
func CaddyProgram() (string, error) { return caddyTool(runtime.GOOS, "caddy", ".") }

// PebbleProgram is the path of Pebble, a certificate authority for tests that
// speaks ACME.
func PebbleProgram() (string, error) {
	return caddyTool(runtime.GOOS, "pebble", "github.com/letsencrypt/pebble/v2/cmd/pebble")
}

// caddyTool builds a main package of the module tools/caddy, or one that it
// requires, once for all runs.
func caddyTool(system, name, pkg string) (string, error) {
	_, here, _, _ := runtime.Caller(0)
	module := filepath.Join(filepath.Dir(here), "..", "..", "tools", "caddy")
	sum := sha256.New()
	_, _ = fmt.Fprintln(sum, runtime.Version(), system, runtime.GOARCH)
	for _, file := range []string{"go.mod", "go.sum", "main.go"} {
		content, err := os.ReadFile(filepath.Join(module, file))
		if err != nil {
			return "", err
		}
		_, _ = sum.Write(content)
	}
	// To build it takes a minute of two processors: packages that want it at the
	// same time wait for one of them.
	dir := filepath.Join(cacheDir(), "caddy-"+hex.EncodeToString(sum.Sum(nil)[:8]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	unlock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	return cached(filepath.Base(dir)+"/"+name, func(target string) error {
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", target, pkg)
		cmd.Dir = module
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly", "GOOS="+system, "GOARCH="+runtime.GOARCH)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
		}
		return nil
	})
}

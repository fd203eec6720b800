package cache

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// ordinary is a user id that is nobody's here.
const ordinary = 54321

func hostID() int {
	if os.Geteuid() == 0 {
		return ordinary
	}
	return os.Getuid()
}

func hostGroup() int {
	if os.Geteuid() == 0 {
		return ordinary
	}
	return os.Getgid()
}

// shared is a temporary directory that the ordinary user owns and can reach.
func shared(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "cache-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := removeAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chown(dir, hostID(), hostGroup()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(t *testing.T) *Cache {
	t.Helper()
	c, err := Open(t.TempDir(), WithClient(image.NewClient(image.Options{RetryWait: time.Millisecond})))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func published(t *testing.T, img v1.Image) (pinned string, cred image.Credential) {
	t.Helper()
	r := testimage.Registry(t, testimage.RegistryOptions{})
	return r.Push(t, "test:1", img), r.Credential()
}

// run gives what the command prints; stderr goes to the error's text.
func run(cmd *exec.Cmd) (string, error) {
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// whole checks that nothing half done lies about: every directory has its mark,
// every mark its directory, and nothing is in work.
func whole(t *testing.T, c *Cache) {
	t.Helper()
	layers, marks := names(t, c.path("layers")), names(t, c.path("marks"))
	if strings.Join(layers, " ") != strings.Join(marks, " ") {
		t.Errorf("layers %v, marks %v", layers, marks)
	}
	for _, room := range []string{"tmp", "pulls"} {
		if left := names(t, c.path(room)); len(left) > 0 {
			t.Errorf("left in %s: %v", room, left)
		}
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(dir + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range paths {
		paths[i] = filepath.Base(p)
	}
	return paths
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

func opener(content []byte) tarball.Opener {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
}

package cache

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// layersOf makes an image with a layer for each content, a file of that name.
func layersOf(t *testing.T, contents ...string) v1.Image {
	var layers []files
	for _, c := range contents {
		layers = append(layers, files{{Path: "/" + c, Content: c}})
	}
	return testimage.FromFiles(t, testimage.Options{Platform: "linux/amd64"}, layers...)
}

func TestConfig(t *testing.T) {
	c := open(t)
	pinned, cred := published(t, testimage.FromFiles(t, testimage.Options{
		Platform: "linux/amd64", Entrypoint: []string{"/run"}, Cmd: []string{"-x"}, Env: map[string]string{"B": "2", "A": "1"}, User: "33:33",
		WorkingDir: "/srv", Ports: []string{"80/tcp", "53/udp"}, Volumes: []string{"/data"}, StopSignal: "SIGQUIT", Labels: map[string]string{"a": "b"},
		HealthCheck: &v1.HealthConfig{Test: []string{"CMD-SHELL", "test -f /ok"}, Interval: time.Second, Retries: 2},
	}, files{{Path: "/run", Mode: 0o755}}))
	if err := c.Pull(t.Context(), pinned, "linux/amd64", cred); err != nil {
		t.Fatal(err)
	}
	found, err := c.Image(image.Digest(pinned))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{Entrypoint: []string{"/run"}, Cmd: []string{"-x"}, Env: []string{"A=1", "B=2"}, User: "33:33", WorkingDir: "/srv",
		ExposedPorts: []string{"53/udp", "80/tcp"}, Volumes: []string{"/data"}, StopSignal: "SIGQUIT", Labels: map[string]string{"a": "b"},
		HealthCheck: &engine.HealthCheck{Exec: &engine.ExecCheck{Command: []string{"/bin/sh", "-c", "test -f /ok"}},
			Interval: "1s", Timeout: "30s", Window: 2, Threshold: 2}}
	if diff := cmp.Diff(want, found.Config); diff != "" {
		t.Error(diff)
	}
	if found.Reference != pinned || found.Platform != "linux/amd64" || len(found.Layers) != 1 {
		t.Errorf("got %+v", found)
	}
}

func TestNoHealthCheck(t *testing.T) {
	for _, h := range []*v1.HealthConfig{nil, {}, {Test: []string{"NONE"}}, {Test: []string{"CMD"}}} {
		if got := healthCheckOf(h); got != nil {
			t.Errorf("%+v became %+v", h, got)
		}
	}
}

func TestIndexGivesTheNodesImage(t *testing.T) {
	r := testimage.Registry(t, testimage.RegistryOptions{})
	var images []v1.Image
	for _, p := range []string{"linux/arm64", "linux/amd64"} {
		images = append(images, testimage.FromFiles(t, testimage.Options{Platform: p}, files{{Path: "/platform", Content: p}}))
	}
	pinned := r.Push(t, "multi:1", testimage.Index(t, images...))
	c := open(t)
	if err := c.Pull(t.Context(), pinned, "linux/amd64", r.Credential()); err != nil {
		t.Fatal(err)
	}
	found, err := c.Image(image.Digest(pinned))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(found.Layers[0] + "/platform"); string(text) != "linux/amd64" {
		t.Errorf("got the image for %q, %v", text, err)
	}
	if err := c.Pull(t.Context(), pinned, "linux/s390x", r.Credential()); !errors.Is(err, engine.ErrUnsupported) {
		t.Errorf("no such platform: %v", err)
	}
}

func TestZstd(t *testing.T) {
	var plain, packed bytes.Buffer
	if err := testimage.WriteTar(&plain, testimage.File{Path: "/file", Content: "zstd"}); err != nil {
		t.Fatal(err)
	}
	w, err := zstd.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(opener(packed.Bytes()), tarball.WithMediaType("application/vnd.oci.image.layer.v1.tar+zstd"))
	if err != nil {
		t.Fatal(err)
	}
	img, err := testimage.Assemble(testimage.Options{Platform: "linux/amd64"}, l)
	if err != nil {
		t.Fatal(err)
	}
	c := open(t)
	pinned, cred := published(t, img)
	if err := c.Pull(t.Context(), pinned, "linux/amd64", cred); err != nil {
		t.Fatal(err)
	}
	found, err := c.Image(image.Digest(pinned))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(found.Layers[0] + "/file"); string(text) != "zstd" {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestManyAtOnceFetchOnce(t *testing.T) {
	r := testimage.Registry(t, testimage.RegistryOptions{})
	one := r.Push(t, "one:1", layersOf(t, "a", "b", "c", "d", "e"))
	two := r.Push(t, "two:1", layersOf(t, "a", "b", "c", "x"))
	dir := t.TempDir()
	var wg sync.WaitGroup
	for i := range 6 {
		pinned := []string{one, two}[i%2]
		wg.Go(func() {
			if out, err := run(child{Dir: dir, Pinned: pinned, Cred: r.Credential()}.command(t)); err != nil {
				t.Error(err, out)
			}
		})
	}
	wg.Wait()
	for _, line := range r.Requests() {
		if _, digest, blob := strings.Cut(line, "/blobs/"); blob && r.CountSuffix(digest) > 1 {
			t.Errorf("%s was fetched %d times", line, r.CountSuffix(digest))
		}
	}
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, pinned := range []string{one, two} {
		if !c.Has(image.Digest(pinned)) {
			t.Errorf("%s is missing", pinned)
		}
	}
	if n := len(names(t, c.path("layers"))); n != 6 {
		t.Errorf("%d layers for 6 different ones", n)
	}
	whole(t, c)
}

func TestKilledPullIsForgotten(t *testing.T) {
	r := testimage.Registry(t, testimage.RegistryOptions{})
	pinned := r.Push(t, "one:1", layersOf(t, strings.Repeat("a", 200), "b", "c", "d"))
	c := open(t)
	release := r.HoldFrom(2) // the configuration passes
	defer release()
	cmd := child{Dir: c.dir, Pinned: pinned, Cred: r.Credential()}.command(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a layer is in work", func() bool { return len(names(t, c.path("tmp"))) > 0 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	release()
	if err := c.Pull(t.Context(), pinned, "linux/amd64", r.Credential()); err != nil {
		t.Fatal(err)
	}
	if err := c.Prune([]string{image.Digest(pinned)}); err != nil {
		t.Fatal(err)
	}
	if !c.Has(image.Digest(pinned)) {
		t.Error("the image is gone")
	}
	whole(t, c)
}

func TestBrokenConnectionIsTriedAgain(t *testing.T) {
	r := testimage.Registry(t, testimage.RegistryOptions{})
	pinned := r.Push(t, "one:1", layersOf(t, "a", "b"))
	c := open(t)
	r.CutBlobs(2)
	err := c.Pull(t.Context(), pinned, "linux/amd64", r.Credential())
	if err != nil {
		t.Fatalf("two broken connections: %v", err)
	}
	if err := c.Prune(nil); err != nil {
		t.Fatal(err)
	}
	r.CutBlobs(1000)
	err = c.Pull(t.Context(), pinned, "linux/amd64", r.Credential())
	if !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("only broken connections: %v", err)
	}
	whole(t, c)
}

func TestShortNamesThatMeet(t *testing.T) {
	c := open(t)
	pinned, cred := published(t, layersOf(t, "a"))
	taken := ""
	if err := c.Pull(t.Context(), pinned, "linux/amd64", cred); err != nil {
		t.Fatal(err)
	}
	taken = names(t, c.path("layers"))[0]
	// The same name, owned by a layer with another full digest.
	other := taken + strings.Repeat("0", 64-len(taken))
	if err := errors.Join(os.WriteFile(c.path("marks", taken), []byte(other), 0o600), os.Remove(c.path("images", names(t, c.path("images"))[0]))); err != nil {
		t.Fatal(err)
	}
	if err := c.Pull(t.Context(), pinned, "linux/amd64", cred); err != nil {
		t.Fatal(err)
	}
	found, err := c.Image(image.Digest(pinned))
	if err != nil || !strings.HasPrefix(found.Layers[0], c.path("layers", taken)) || len(found.Layers[0]) != len(c.path("layers", taken))+1 {
		t.Errorf("got %+v, %v", found, err)
	}
}

func TestCancelledPullLeavesNothing(t *testing.T) {
	r := testimage.Registry(t, testimage.RegistryOptions{})
	pinned := r.Push(t, "one:1", layersOf(t, "a", "b"))
	c := open(t)
	release := r.HoldFrom(2)
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	pulled := make(chan error, 1)
	go func() { pulled <- c.Pull(ctx, pinned, "linux/amd64", r.Credential()) }()
	eventually(t, "a layer is in work", func() bool { return len(names(t, c.path("tmp"))) > 0 })
	cancel()
	if err := <-pulled; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	whole(t, c)
}

func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a small disk of one's own needs root")
	}
	pinned, cred := published(t, testimage.FromFiles(t, testimage.Options{Platform: "linux/amd64"},
		files{{Path: "/large", Content: strings.Repeat("large", 200_000)}}))
	cmd := child{Dir: t.TempDir(), Pinned: pinned, Cred: cred, Room: "256k"}.command(t)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
	out, err := run(cmd)
	if err == nil || !strings.Contains(out, "no space is left in ") || !strings.Contains(out, "left: []") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestBadInput(t *testing.T) {
	c := open(t)
	for _, pinned := range []string{"nginx", "nginx:1", "UPPER@x", "127.0.0.1:1/x@sha512:" + strings.Repeat("ab", 64)} {
		if err := c.Pull(t.Context(), pinned, "linux/amd64", image.Credential{}); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("Pull(%q): %v", pinned, err)
		}
	}
	for _, digest := range []string{"", "sha256:", "sha256:../../x", strings.Repeat("a", 64)} {
		if c.Has(digest) {
			t.Errorf("Has(%q)", digest)
		}
	}
	if i := slices.Index(names(t, c.dir), "layers"); i < 0 {
		t.Error("no cache")
	}
}

package testimage_test

import (
	"archive/tar"
	"errors"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

func TestAppImage(t *testing.T) {
	img := testimage.App(t, "1.4.0", map[string]string{"HEALTH": "fail"})
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(config.Config.Env, "VERSION=1.4.0") || !slices.Contains(config.Config.Env, "HEALTH=fail") || config.Config.Entrypoint[0] != "/app" {
		t.Errorf("got %+v", config.Config)
	}
	again, err := testimage.App(t, "1.4.0", map[string]string{"HEALTH": "fail"}).Digest()
	if first, _ := img.Digest(); err != nil || first != again {
		t.Errorf("the same image has the digests %s and %s, %v", first, again, err)
	}
}

func TestCaddyImage(t *testing.T) {
	img := testimage.Caddy(t)
	content := mutate.Extract(img)
	defer content.Close()
	archive := tar.NewReader(content)
	for {
		h, err := archive.Next()
		if err != nil {
			t.Fatalf("no caddy: %v", err)
		}
		if h.Name == "usr/bin/caddy" {
			break
		}
	}
	program, err := testimage.CaddyProgram()
	if err != nil {
		t.Fatal(err)
	}
	modules, err := exec.Command(program, "list-modules").CombinedOutput()
	if err != nil || !strings.Contains(string(modules), "layer4.handlers.proxy") {
		t.Errorf("%v: %s", err, modules)
	}
}

func TestForeignPlatform(t *testing.T) {
	img := testimage.FromGo(t, "package main\nfunc main() { println(1) }\n", testimage.Options{Platform: "linux/arm64"})
	config, err := img.ConfigFile()
	if err != nil || config.Architecture != "arm64" {
		t.Errorf("got %+v, %v", config, err)
	}
}

func TestProgramThatDoesNotCompile(t *testing.T) {
	if _, err := testimage.BuildGo("package main\nfunc main() { nonsense }\n", testimage.Options{}); err == nil {
		t.Error("no error")
	}
}

func TestRegistryOffAndOn(t *testing.T) {
	r := testimage.Registry(t, testimage.RegistryOptions{Username: "ci", Password: "pw"})
	reference := r.Push(t, "app:1", testimage.FromFiles(t, testimage.Options{}, []testimage.File{{Path: "/x"}}))
	c := image.NewClient(image.Options{Retries: 1})
	defer c.Close()
	ask := func() error {
		_, err := c.Resolve(t.Context(), reference, r.Credential())
		return err
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	r.Off()
	if err := ask(); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("off: %v", err)
	}
	if err := r.On(); err != nil {
		t.Fatal(err)
	}
	if err := ask(); err != nil {
		t.Errorf("on again: %v", err)
	}
	r.Fail(http.StatusUnauthorized, -1)
	if err := ask(); !errors.Is(err, engine.ErrDenied) {
		t.Errorf("401: %v", err)
	}
}

func TestDebianRegistry(t *testing.T) {
	r := testimage.DebianRegistry(t, testimage.RealOptions{})
	pinned := r.Push(t, "shop/app:1", testimage.FromFiles(t, testimage.Options{Labels: map[string]string{"a": "b"}}, []testimage.File{{Path: "/x"}}))
	c := image.NewClient(image.Options{})
	defer c.Close()
	got, err := c.Resolve(t.Context(), r.URL()+"/shop/app:1", r.Credential())
	if err != nil || got.Digest != image.Digest(pinned) || got.Labels["a"] != "b" {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := c.Check(t.Context(), r.Credential()); err != nil {
		t.Error(err)
	}
	wrong := r.Credential()
	wrong.Password = "wrong"
	if err := c.Check(t.Context(), wrong); !errors.Is(err, engine.ErrDenied) {
		t.Errorf("wrong password: %v", err)
	}
	if _, err := c.Resolve(t.Context(), r.URL()+"/shop/app:2", r.Credential()); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("no such tag: %v", err)
	}
}

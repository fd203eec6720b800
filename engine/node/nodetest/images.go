package nodetest

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// Images are what the suite runs: the web application of package testimage with
// the program /tool beside it, in two versions and as another user.
type Images struct {
	App    node.Image `json:"app"`
	Newer  node.Image `json:"newer"`
	AsUser node.Image `json:"as_user"` // runs as app, 1000:1000

	// Crooked has /tool, and links that lead to the directory Outside of the node,
	// where the node's root can be reached: /etc, /out, /run, /down/up and /program.
	Crooked node.Image `json:"crooked"`
	Outside string     `json:"outside"`
}

// NewImages builds the images and serves them for the time of the test.
func NewImages(t testing.TB) Images {
	t.Helper()
	all, end, err := ServeImages()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	return all
}

// ServeImages is NewImages for all tests of a process, until end.
func ServeImages() (all Images, end func(), err error) {
	_, here, _, _ := runtime.Caller(0)
	program, err := testimage.Program(filepath.Join(filepath.Dir(here), "tool"), v1.Platform{OS: "linux", Architecture: runtime.GOARCH})
	if err != nil {
		return all, nil, err
	}
	tool, err := os.ReadFile(program)
	if err != nil {
		return all, nil, err
	}
	if all.Outside, err = newOutside(tool); err != nil {
		return all, nil, err
	}
	r, err := testimage.NewRegistry(testimage.RegistryOptions{})
	if err != nil {
		return all, nil, errors.Join(err, os.RemoveAll(all.Outside))
	}
	end = func() {
		r.Close()
		_ = os.RemoveAll(all.Outside)
	}
	push := func(into *node.Image, tag string, built v1.Image, err error) error {
		if err == nil {
			into.Reference, err = r.Store("app:"+tag, built)
		}
		into.Auth.PlainHTTP = true
		return err
	}
	app := func(into *node.Image, tag, user string) error {
		built, err := testimage.BuildApp(tag, nil, testimage.Options{User: user, Files: []testimage.File{
			{Path: "/tool", Content: string(tool), Mode: 0o755},
			{Path: "/full/", UID: 1000, GID: 1000, Mode: 0o750},
			{Path: "/full/seed", Content: "seed", UID: 1000, GID: 1000, Mode: 0o600},
		}})
		return push(into, tag, built, err)
	}
	crooked, err := testimage.Assemble(testimage.Options{Files: crookedFiles(all.Outside, string(tool))})
	err = errors.Join(push(&all.Crooked, "crooked", crooked, err),
		app(&all.App, "1", ""), app(&all.Newer, "2", ""), app(&all.AsUser, "user", "app"))
	if err != nil {
		end()
		return all, nil, err
	}
	return all, end, nil
}

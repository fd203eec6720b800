package cache

import (
	"errors"
	"os"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

func TestPrune(t *testing.T) {
	r := testimage.Registry(t, testimage.RegistryOptions{})
	c := open(t)
	one := r.Push(t, "one:1", layersOf(t, "a", "b", "c"))
	two := r.Push(t, "two:1", layersOf(t, "a", "b", "x"))
	for _, pinned := range []string{one, two} {
		if err := c.Pull(t.Context(), pinned, "linux/amd64", r.Credential()); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Prune([]string{image.Digest(two), "sha256:unknown"}); err != nil {
		t.Fatal(err)
	}
	if c.Has(image.Digest(one)) || !c.Has(image.Digest(two)) {
		t.Errorf("one %v, two %v", c.Has(image.Digest(one)), c.Has(image.Digest(two)))
	}
	found, err := c.Image(image.Digest(two))
	if err != nil || len(names(t, c.path("layers"))) != 3 {
		t.Fatalf("%v, layers %v", err, names(t, c.path("layers")))
	}
	if _, err := os.Stat(found.Layers[2] + "/x"); err != nil {
		t.Error(err)
	}
	if _, err := c.Image(image.Digest(one)); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if err := c.Prune(nil); err != nil || len(names(t, c.path("layers"))) != 0 {
		t.Errorf("%v, layers %v", err, names(t, c.path("layers")))
	}
	whole(t, c)
}

func TestPruneSparesAPull(t *testing.T) {
	r := testimage.Registry(t, testimage.RegistryOptions{})
	c := open(t)
	base := r.Push(t, "base:1", layersOf(t, "a", "b"))
	if err := c.Pull(t.Context(), base, "linux/amd64", r.Credential()); err != nil {
		t.Fatal(err)
	}
	pinned := r.Push(t, "one:1", layersOf(t, "a", "b", "c", "d"))
	release := r.HoldFrom(2) // the configuration passes
	pulled := make(chan error, 1)
	go func() { pulled <- c.Pull(t.Context(), pinned, "linux/amd64", r.Credential()) }()
	eventually(t, "a layer is in work", func() bool { return len(names(t, c.path("tmp"))) > 0 })
	if err := c.Prune(nil); err != nil {
		t.Fatal(err)
	}
	if c.Has(image.Digest(base)) {
		t.Error("the other image is still there")
	}
	release()
	if err := <-pulled; err != nil {
		t.Fatal(err)
	}
	found, err := c.Image(image.Digest(pinned))
	if err != nil || len(found.Layers) != 4 {
		t.Fatalf("got %+v, %v", found, err)
	}
	for i, name := range []string{"a", "b", "c", "d"} {
		if _, err := os.Stat(found.Layers[i] + "/" + name); err != nil {
			t.Error(err)
		}
	}
	whole(t, c)
}

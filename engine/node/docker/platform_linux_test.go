package docker_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// An image for another platform is refused when it is pulled, before anything old
// makes room for it, and does not stay to be found there the next time.
func TestImageForAnotherPlatform(t *testing.T) {
	d := open(t, over(daemon(t).Host))
	defer d.Close()
	made, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	config, err := made.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config.OS, config.Architecture = "linux", "s390x"
	if made, err = mutate.ConfigFile(made, config); err != nil {
		t.Fatal(err)
	}
	image := node.Image{Reference: testimage.Registry(t, testimage.RegistryOptions{}).Push(t, "app:1", made)}
	for range 2 {
		if err := d.Pull(t.Context(), image); !errors.Is(err, engine.ErrUnsupported) || !strings.Contains(err.Error(), "is for linux/s390x") {
			t.Errorf("pull: %v", err)
		}
		if has, err := d.Has(t.Context(), image); has || err != nil {
			t.Errorf("the image stays: %t (%v)", has, err)
		}
	}
}

package cache

import (
	"bytes"
	"compress/gzip"
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

func TestWrongContent(t *testing.T) {
	img := layersOf(t, "a", "b")
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := layers[1].Digest()
	if err != nil {
		t.Fatal(err)
	}
	var forged bytes.Buffer
	w := gzip.NewWriter(&forged)
	if err := errors.Join(testimage.WriteTar(w, testimage.File{Path: "/evil"}), w.Close()); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"another archive": forged.Bytes(), "rubbish": []byte("rubbish"), "nothing": nil} {
		t.Run(name, func(t *testing.T) {
			r := testimage.Registry(t, testimage.RegistryOptions{})
			pinned := r.Push(t, "one:1", img)
			r.Forge(digest.String(), content)
			c := open(t)
			err := c.Pull(t.Context(), pinned, "linux/amd64", r.Credential())
			if !errors.Is(err, engine.ErrUnavailable) || c.Has(image.Digest(pinned)) {
				t.Errorf("got %v", err)
			}
			if n := r.CountSuffix(digest.String()); n != 1 {
				t.Errorf("wrong content was fetched %d times", n)
			}
			whole(t, c)
		})
	}
}

// liar says that a layer's diff id is another.
type liar struct{ v1.Layer }

func (liar) DiffID() (v1.Hash, error) {
	return v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("ab", 32)}, nil
}

func TestWrongDiffID(t *testing.T) {
	l, err := testimage.Layer(testimage.File{Path: "/a"})
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(layersOf(t, "b"), liar{l})
	if err != nil {
		t.Fatal(err)
	}
	c := open(t)
	pinned, cred := published(t, img)
	err = c.Pull(t.Context(), pinned, "linux/amd64", cred)
	if err == nil || !strings.Contains(err.Error(), "its image says sha256:abab") {
		t.Errorf("got %v", err)
	}
	whole(t, c)
}

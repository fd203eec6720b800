package testimage

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage/debian"
)

// debianFormat changes whenever the same packages would make other layers.
const debianFormat = "2"

// FromDebian makes an image of Debian packages: a layer with what they need, a
// layer with themselves, and the layers of the options. It skips the test where
// packages cannot be had.
func FromDebian(t testing.TB, o Options, packages ...string) v1.Image {
	t.Helper()
	img, err := BuildDebian(o, packages...)
	if errors.Is(err, debian.ErrUnusable) {
		t.Skip(err)
	}
	return must(t)(img, err)
}

// BuildDebian is FromDebian without a test; debian.ErrUnusable where packages
// cannot be had.
func BuildDebian(o Options, packages ...string) (v1.Image, error) {
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", debian.ErrUnusable, err)
	}
	packages = append(packages, "dash") // programs call /bin/sh
	sum := sha256.Sum256([]byte(debianFormat + string(release) + runtime.GOARCH + strings.Join(packages, " ")))
	dir, err := cached("debian/"+hex.EncodeToString(sum[:12]), func(target string) error {
		return assembleDebian(target, packages)
	})
	if err != nil {
		return nil, err
	}
	layers, err := layersIn(dir)
	if err != nil {
		return nil, err
	}
	return Assemble(o, layers...)
}

// assembleDebian makes an OCI layout with the packages' layers.
func assembleDebian(target string, packages []string) error {
	work := target + "-work"
	if err := os.MkdirAll(work, 0o755); err != nil {
		return err
	}
	base, top := filepath.Join(work, "base.tar"), filepath.Join(work, "top.tar")
	if err := writeDebian(packages, base, top); err != nil {
		return err
	}
	var layers []v1.Layer
	for _, file := range []string{base, top} {
		l, err := tarball.LayerFromFile(file, tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(gzip.BestSpeed))
		if err != nil {
			return err
		}
		layers = append(layers, l)
	}
	return writeLayout(target, layers...)
}

// writeLayout makes an OCI layout with the layers, for layersIn.
func writeLayout(target string, layers ...v1.Layer) error {
	img, err := Assemble(Options{}, layers...)
	if err != nil {
		return err
	}
	to, err := layout.Write(target, empty.Index)
	if err != nil {
		return err
	}
	return to.AppendImage(img)
}

func writeDebian(packages []string, base, top string) (err error) {
	apt := filepath.Join(cacheDir(), "apt")
	if err := os.MkdirAll(apt, 0o755); err != nil {
		return err
	}
	unlock, err := lockFile(filepath.Join(apt, "lock"))
	if err != nil {
		return err
	}
	defer unlock()
	lower, err := os.Create(base)
	if err != nil {
		return err
	}
	upper, err := os.Create(top)
	if err != nil {
		return errors.Join(err, lower.Close())
	}
	return errors.Join(debian.Write(apt, packages, lower, upper), lower.Close(), upper.Close())
}

func layersIn(dir string) ([]v1.Layer, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	img, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		return nil, err
	}
	return img.Layers()
}

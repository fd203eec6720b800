package image

import (
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// describe fills in the platforms of an index and gives the image for the
// platform, nil when the index has none.
func describe(d *remote.Descriptor, platform string, found *engine.Image) (v1.Image, error) {
	if !d.MediaType.IsIndex() {
		return d.Image()
	}
	index, err := d.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	found.Platforms = platformsOf(manifest)
	entry, ok := pick(manifest, platform)
	if !ok {
		return nil, nil
	}
	return index.Image(entry.Digest)
}

// choose gives the image for the platform or says which platforms there are.
func choose(d *remote.Descriptor, r Reference, platform string) (v1.Image, error) {
	var found engine.Image
	chosen, err := describe(d, platform, &found)
	if err != nil {
		return nil, err
	}
	if chosen == nil {
		return nil, wrongPlatform(r, found.Platforms, platform)
	}
	config, err := chosen.ConfigFile()
	if err != nil {
		return nil, err
	}
	if is := platformOf(config.Platform()); !Runs(is, platform) {
		return nil, wrongPlatform(r, []string{is}, platform)
	}
	return chosen, nil
}

func wrongPlatform(r Reference, has []string, platform string) error {
	return engine.Unsupported("", fmt.Sprintf("image %s is for %s, the node is %s", r, strings.Join(has, ", "), platform),
		"build and push the image for "+platform)
}

// platformsOf lists an index's platforms in its order, without the attestations
// that builders add as platform unknown/unknown.
func platformsOf(manifest *v1.IndexManifest) []string {
	var all []string
	for _, m := range manifest.Manifests {
		p := platformOf(m.Platform)
		if p != "" && p != "unknown/unknown" && !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}

// pick finds the entry that a node of the platform runs: the very platform first.
func pick(manifest *v1.IndexManifest, platform string) (v1.Descriptor, bool) {
	for _, fits := range []func(is string) bool{
		func(is string) bool { return is == platform },
		func(is string) bool { return Runs(is, platform) },
	} {
		for _, m := range manifest.Manifests {
			if m.MediaType.IsImage() && fits(platformOf(m.Platform)) {
				return m, true
			}
		}
	}
	return v1.Descriptor{}, false
}

// platformOf writes a platform as os/architecture[/variant], "" for none.
func platformOf(p *v1.Platform) string {
	if p == nil {
		return ""
	}
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}

// Runs reports whether an image for one platform runs on a node of another, both
// as os/architecture[/variant]: a variant that one of them does not name fits any,
// and an image that names no platform at all fits every node.
func Runs(image, node string) bool {
	if image == "" || image == "/" {
		return true
	}
	a, b := strings.Split(image, "/"), strings.Split(node, "/")
	if len(a) < 2 || len(b) < 2 || a[0] != b[0] || a[1] != b[1] {
		return false
	}
	return len(a) < 3 || len(b) < 3 || a[2] == b[2]
}

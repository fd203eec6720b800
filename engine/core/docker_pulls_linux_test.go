package core_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// patience is how long to wait for what must come.
const patience = time.Minute

// layered is an image of the app with a layer that others have too, and one of its own.
func layered(t *testing.T, name, salt string) v1.Image {
	t.Helper()
	image, err := testimage.BuildApp(name, nil, testimage.Options{Layers: [][]testimage.File{
		{{Path: "/common", Content: salt}}, {{Path: "/own", Content: name + salt}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// until waits for a condition.
func (h *house) until(what string, is func() bool) {
	h.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !is(); <-tick.C {
		if time.Now().After(deadline) {
			h.Fatalf("waited %s in vain: %s; the registry was asked %v", patience, what, h.registry.Requests())
		}
	}
}

// manifestsAsked counts the images whose manifest the registry was asked for since.
func (h *house) manifestsAsked(since int) int {
	asked := map[string]bool{}
	for _, line := range h.registry.Requests()[since:] {
		if _, what, found := strings.Cut(line, "/manifests/"); found {
			asked[what] = true
		}
	}
	return len(asked)
}

// Many components want few images, which share layers: they are pulled at the same
// time, each part of them is fetched once, and nothing is touched before they are there.
func TestDockerPullsOnceAndFirst(t *testing.T) {
	t.Parallel()
	d := testdocker.Shared(t)
	r := testimage.Registry(t, testimage.RegistryOptions{})
	h := newHouse(t, d, r, 1)
	h.version(1)
	h.deploy("pulls", "1.0.0")
	before := h.things()

	components := map[string]engine.Component{}
	fetched := map[string]bool{} // digests
	for image, names := range map[string][]string{"a": {"web", "one", "two"}, "b": {"three"}, "c": {"four"}, "d": {"five"}} {
		made := layered(t, image, r.URL())
		r.Push(t, "many:"+image, made)
		manifest, err := made.Manifest()
		h.must(err)
		for _, part := range append(manifest.Layers[len(manifest.Layers)-2:], manifest.Config) {
			fetched[part.Digest.String()] = true
		}
		for _, name := range names {
			components[name] = component(r.URL()+"/many:"+image, name)
		}
	}
	made, err := h.engine.CreateVersion(t.Context(), engine.Version{
		ProductID: "acme/shop", Name: "2.0.0", Type: engine.VersionIncremental, Status: engine.VersionActive, Components: components})
	h.must(err)
	h.refs["2.0.0"] = made.Ref

	since := len(r.Requests())
	release := r.HoldFrom(1)
	done := make(chan error, 1)
	go func() { done <- h.try("pulls", "2.0.0") }()
	h.until("every image is being pulled", func() bool { return h.manifestsAsked(since) == 4 })
	h.wantThings("while images are pulled", before)
	release()
	h.must(<-done)
	if got := h.things(); len(got) != len(components)+2 {
		t.Errorf("after the upgrade there are %v", got)
	}
	times := map[string]int{}
	for _, line := range r.Requests()[since:] {
		times[line]++
	}
	for digest := range fetched {
		if n := times["GET /v2/many/blobs/"+digest]; n != 1 {
			t.Errorf("%s was fetched %d times", digest, n)
		}
	}
	for line, n := range times {
		if strings.HasPrefix(line, "GET ") && line != "GET /v2/" && n != 1 {
			t.Errorf("%s: %d times", line, n)
		}
	}
	if t.Failed() {
		t.Log(slices.Sorted(slices.Values(r.Requests()[since:])))
	}
}

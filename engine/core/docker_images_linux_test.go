package core_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// house is an engine with a data directory of its own on a Docker Engine that
// others use too.
type house struct {
	*testing.T
	docker   *client.Client
	registry *testimage.RegistryServer
	engine   *core.Engine
	where    string            // environment
	refs     map[string]string // of versions, by name
	images   map[string]string // of their component web
	deployed map[string]bool
}

// newHouse keeps the images of that many versions.
func newHouse(t *testing.T, d *testdocker.Engine, r *testimage.RegistryServer, keep int) *house {
	t.Helper()
	h := &house{T: t, docker: d.Client(t), registry: r, where: "acme/test", refs: map[string]string{}, images: map[string]string{}, deployed: map[string]bool{}}
	ctx := t.Context()
	var err error
	h.engine, err = core.Open(ctx, core.Config{DataDir: t.TempDir()})
	h.must(err)
	h.must(furnish(ctx, h.engine, dockerNode(d, keep), r, engine.EnvironmentStaging))
	t.Cleanup(func() {
		h.clear()
		h.must(h.engine.Close())
	})
	return h
}

// annex is the same engine, with another node and environment.
func (h *house) annex(name string, d *testdocker.Engine, keep int) *house {
	h.Helper()
	n := dockerNode(d, keep)
	n.TeamID, n.Name, n.Allocation = "acme", name, engine.AllocationOpen
	_, err := h.engine.CreateNode(h.Context(), n)
	h.must(err)
	_, err = h.engine.CreateEnvironment(h.Context(), engine.Environment{TeamID: "acme", Name: name, NodeID: "acme/" + name, Type: engine.EnvironmentStaging}, nil)
	h.must(err)
	other := *h
	other.where, other.deployed = "acme/"+name, map[string]bool{}
	h.Cleanup(other.clear)
	return &other
}

func (h *house) clear() {
	for prefix := range h.deployed {
		h.destroy(prefix)
	}
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// version makes version n of one component, web, with a volume, and pushes its image.
func (h *house) version(n int) {
	h.Helper()
	name := fmt.Sprintf("%d.0.0", n)
	h.registry.Push(h, "app:"+name, testimage.App(h, name, map[string]string{"REGISTRY": h.registry.URL()})) // no other test has this image
	made, err := h.engine.CreateVersion(h.Context(), engine.Version{
		ProductID: "acme/shop", Name: name, Type: engine.VersionIncremental, Status: engine.VersionActive,
		Components: map[string]engine.Component{"web": component(h.registry.URL()+"/app:"+name, "web")},
	})
	h.must(err)
	h.refs[name], h.images[name] = made.Ref, made.Images["web"]
}

// component is one of the app's image; web has a volume.
func component(image, name string) engine.Component {
	c := engine.Component{Image: image, HealthChecks: map[string]engine.HealthCheck{"up": {HTTP: &engine.HTTPCheck{Port: 8080, Path: "/healthz"}}}}
	if name == "web" {
		c.Volumes = map[string]engine.Volume{"data": {Path: "/data", OnDestroy: "delete"}}
	}
	return c
}

// try brings a deployment to a version.
func (h *house) try(prefix, version string) error {
	h.Helper()
	wanted := engine.Deployment{EnvironmentID: h.where, Version: h.refs[version], Prefix: prefix, Strategy: engine.Strategy{
		Type: "rolling", MaxParallel: 2, MinHealthyTime: "10ms", ProgressDeadline: "2m", DrainTimeout: "0s", AutoRollback: true}}
	if h.deployed[prefix] {
		_, err := h.engine.UpdateDeployment(h.Context(), wanted, nil)
		return err
	}
	_, err := h.engine.CreateDeployment(h.Context(), wanted, nil)
	h.deployed[prefix] = err == nil
	return err
}

func (h *house) deploy(prefix, version string) {
	h.Helper()
	h.must(h.try(prefix, version))
}

func (h *house) destroy(prefix string) {
	h.Helper()
	h.must(h.engine.DeleteDeployment(context.Background(), h.where+"/"+prefix))
	delete(h.deployed, prefix)
}

// kept are the versions whose images are on the node.
func (h *house) kept() (names []string) {
	h.Helper()
	for _, name := range slices.Sorted(maps.Keys(h.images)) {
		if h.there(runnable(h.images[name])) {
			names = append(names, name)
		}
	}
	return names
}

func (h *house) wantKept(names ...string) {
	h.Helper()
	if got := h.kept(); !slices.Equal(got, names) {
		h.Errorf("the images of %v are there, want %v", got, names)
	}
}

// there reports whether the Docker Engine has an image of that name.
func (h *house) there(name string) bool {
	h.Helper()
	list, err := h.docker.ImageList(h.Context(), client.ImageListOptions{All: true})
	h.must(err)
	for _, i := range list.Items {
		if slices.Contains(i.RepoTags, name) || slices.Contains(i.RepoDigests, name) {
			return true
		}
	}
	return false
}

// runnable is a pinned image without its tag, as Docker names it.
func runnable(reference string) string {
	base, digest, _ := strings.Cut(reference, "@")
	return base[:strings.LastIndexByte(base, ':')] + "@" + digest
}

// byHand pulls an image as somebody who knows nothing of Slipway.
func (h *house) byHand(reference string) {
	h.Helper()
	answer, err := h.docker.ImagePull(h.Context(), reference, client.ImagePullOptions{})
	h.must(err)
	h.must(answer.Wait(h.Context()))
}

// The images of the last versions stay on the node, so that going back to one
// needs no registry; the others go, and nobody else's.
func TestDockerKeepsTheImagesOfTheLastVersions(t *testing.T) {
	t.Parallel()
	d := testdocker.Shared(t)
	r := testimage.Registry(t, testimage.RegistryOptions{})
	h := newHouse(t, d, r, 3)
	pulled := runnable(r.Push(t, "foreign:1", testimage.App(t, "foreign", map[string]string{"REGISTRY": r.URL()})))
	h.byHand(pulled)
	const mine = "slipway-keeps:mine"
	t.Cleanup(func() {
		for _, name := range []string{pulled, mine} {
			_, _ = h.docker.ImageRemove(context.Background(), name, client.ImageRemoveOptions{})
		}
	})
	for n := range 7 {
		h.version(n + 1)
		h.deploy("keeps", fmt.Sprintf("%d.0.0", n+1))
		if n == 0 {
			_, err := h.docker.ImageTag(t.Context(), client.ImageTagOptions{Source: runnable(h.images["1.0.0"]), Target: mine})
			h.must(err)
		}
	}
	h.wantKept("1.0.0", "5.0.0", "6.0.0", "7.0.0") // somebody tagged the first
	if !h.there(mine) || !h.there(pulled) {
		t.Error("somebody else's image is gone")
	}

	r.Off()
	h.deploy("keeps", "5.0.0")
	h.deploy("keeps", "7.0.0")
	var failed *engine.RolloutError
	if err := h.try("keeps", "4.0.0"); !errors.As(err, &failed) || failed.Phase != engine.PhasePull || !strings.Contains(failed.Restored, "7.0.0") {
		t.Errorf("back to an image that is gone, without a registry: %v", err)
	}
	h.wantKept("1.0.0", "5.0.0", "6.0.0", "7.0.0")
}

// Deployments and engines share images: what one no more needs stays for the other.
func TestDockerSharesImages(t *testing.T) {
	t.Parallel()
	d := testdocker.Shared(t)
	r := testimage.Registry(t, testimage.RegistryOptions{})
	h, other := newHouse(t, d, r, 2), newHouse(t, d, r, 1)
	for n := range 5 {
		h.version(n + 1)
		other.version(n + 1)
	}
	h.deploy("share-a", "1.0.0")
	h.deploy("share-b", "1.0.0")
	other.deploy("share-c", "1.0.0")
	other.deploy("share-c", "2.0.0")
	h.deploy("share-a", "2.0.0")
	h.deploy("share-b", "3.0.0") // could go back to 1.0.0, of which there is no container any more
	h.deploy("share-a", "4.0.0")
	h.deploy("share-a", "5.0.0")
	h.wantKept("1.0.0", "2.0.0", "3.0.0", "4.0.0", "5.0.0") // 2.0.0 is the other engine's too
	r.Off()
	h.deploy("share-b", "1.0.0")
	h.must(r.On())

	h.destroy("share-b")
	h.wantKept("2.0.0", "4.0.0", "5.0.0")
	other.deploy("share-c", "5.0.0")
	h.wantKept("4.0.0", "5.0.0")
	h.destroy("share-a")
	h.wantKept("5.0.0")
	other.destroy("share-c")
	h.wantKept()
}

// Two nodes of one Docker Engine, each with its own policy: an image goes when
// neither keeps it.
func TestDockerNodesOfOneEngine(t *testing.T) {
	t.Parallel()
	d := testdocker.Shared(t)
	r := testimage.Registry(t, testimage.RegistryOptions{})
	h := newHouse(t, d, r, 2)
	other := h.annex("other", d, 1)
	for n := range 4 {
		h.version(n + 1)
	}
	h.deploy("twin-a", "1.0.0")
	h.deploy("twin-a", "2.0.0") // could go back to 1.0.0
	other.deploy("twin-b", "2.0.0")
	other.deploy("twin-b", "3.0.0")
	h.wantKept("1.0.0", "2.0.0", "3.0.0")
	r.Off()
	h.deploy("twin-a", "1.0.0")
	h.must(r.On())
	h.deploy("twin-a", "4.0.0")
	h.wantKept("1.0.0", "3.0.0", "4.0.0")
	other.destroy("twin-b")
	h.wantKept("1.0.0", "4.0.0")
}

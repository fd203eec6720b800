package faults_test

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/docker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

const (
	id = "acme/production/shop"
	// patience bounds waits of the tests, and what they give the engine where
	// nothing is to fail.
	patience = time.Minute
)

// TestMain runs the scenes side by side: they wait for Engines more than they compute.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "5"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// scene is an engine with a store, a registry and a Docker Engine.
type scene struct {
	*testing.T
	dir      string
	registry *testimage.RegistryServer
	daemon   *testdocker.Daemon
	node     engine.DockerNode
	engine   *core.Engine
	clock    *clock
	wire     atomic.Pointer[wire]
	overtime atomic.Pointer[func()] // is called when a failed rollout waits once more
	versions int
	filler   string // in the images that come
}

func newScene(t *testing.T, o testdocker.Options) *scene {
	t.Helper()
	d := testdocker.New(t, o)
	s := &scene{T: t, dir: t.TempDir(), registry: testimage.Registry(t, testimage.RegistryOptions{}), daemon: d, clock: newClock()}
	s.node = engine.DockerNode{Host: d.Host}
	return s
}

// open opens the engine anew, as the next provider process would.
func (s *scene) open() {
	s.Helper()
	s.close()
	var e *core.Engine
	e, err := core.Open(context.Background(), core.Config{
		DataDir: s.dir, Clock: s.clock, Log: slog.New(ear{slog.DiscardHandler, s.hears}),
		Journal: func(next core.Journal) core.Journal { return wiredJournal{next, s.wire.Load} },
		NewDriver: func(n engine.Node) (node.Driver, error) {
			c := docker.Config{Connection: docker.Connection{Host: n.Docker.Host}, EngineID: e.EngineID()}
			if n.Docker.SSH != nil {
				c.SSH.KnownHosts, c.SSH.PrivateKey = n.Docker.SSH.KnownHosts, n.Docker.Keys.SSH
			}
			d, err := docker.New(c)
			return wired{d, s.wire.Load}, err
		},
	})
	s.must(err)
	s.engine = e
}

// ear hears what an engine logs.
type ear struct {
	slog.Handler
	hears func(message string)
}

func (ear) Enabled(context.Context, slog.Level) bool { return true }

func (e ear) Handle(_ context.Context, r slog.Record) error {
	e.hears(r.Message)
	return nil
}

func (s *scene) hears(message string) {
	if do := s.overtime.Load(); do != nil && strings.HasPrefix(message, "waiting for the node") {
		(*do)()
	}
}

func (s *scene) close() {
	if s.engine != nil {
		_ = s.engine.Close()
	}
	s.engine = nil
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// furnish makes everything that a deployment refers to.
func (s *scene) furnish() {
	s.Helper()
	s.open()
	s.Cleanup(s.close)
	ctx := s.Context()
	_, err := s.engine.CreateTeam(ctx, engine.Team{Name: "acme"})
	s.must(err)
	_, err = s.engine.CreateNode(ctx, engine.Node{TeamID: "acme", Name: "there", Kind: engine.NodeDocker, Allocation: engine.AllocationOpen, Docker: &s.node})
	s.must(err)
	_, err = s.engine.CreateRegistry(ctx, engine.Registry{TeamID: "acme", Name: "main", URL: "http://" + s.registry.URL()}, "")
	s.must(err)
	_, err = s.engine.CreateProduct(ctx, engine.Product{TeamID: "acme", Name: "shop", Type: engine.ProductComplex})
	s.must(err)
	_, err = s.engine.CreateEnvironment(ctx, engine.Environment{TeamID: "acme", Name: "production", NodeID: "acme/there", Type: engine.EnvironmentProduction}, nil)
	s.must(err)
}

// version makes the next version, with an image of its own: db, whose volume has
// one writer, so that it is replaced stop-first, and api, which is start-first.
func (s *scene) version(change ...func(map[string]engine.Component)) string {
	s.Helper()
	s.versions++
	tag := fmt.Sprint(s.versions)
	image, err := testimage.BuildApp(tag, nil, testimage.Options{Files: []testimage.File{{Path: "/own", Content: tag + rand.Text() + s.filler}}})
	s.must(err)
	s.registry.Push(s, "shop/app:"+tag, image)
	app := engine.Component{
		Image: s.registry.URL() + "/shop/app:" + tag, StopGracePeriod: "2s",
		HealthChecks: map[string]engine.HealthCheck{"up": {HTTP: &engine.HTTPCheck{Port: 8080, Path: "/healthz"}}},
	}
	db, api := app, app
	db.Volumes = map[string]engine.Volume{"data": {Path: "/data"}}
	api.DependsOn = []string{"db"}
	components := map[string]engine.Component{"db": db, "api": api}
	for _, c := range change {
		c(components)
	}
	v, err := s.engine.CreateVersion(s.Context(), engine.Version{
		ProductID: "acme/shop", Name: tag + ".0.0", Type: engine.VersionIncremental, Status: engine.VersionActive, Components: components,
	})
	s.must(err)
	return v.ID
}

// apply brings the deployment to the version.
func (s *scene) apply(version string) error {
	d := engine.Deployment{ID: id, EnvironmentID: "acme/production", Prefix: "shop", Version: version, Strategy: engine.Strategy{
		Type: "rolling", MaxParallel: 1, MinHealthyTime: "300ms", ProgressDeadline: patience.String(), DrainTimeout: "1s", AutoRollback: true,
	}}
	_, err := s.engine.Deployment(s.Context(), id)
	if errors.Is(err, engine.ErrNotFound) {
		_, err = s.engine.CreateDeployment(s.Context(), d, nil)
		return err
	}
	if err == nil {
		_, err = s.engine.UpdateDeployment(s.Context(), d, nil)
	}
	return err
}

// instance is a container of the deployment.
type instance struct {
	name, component, version string
	running, named           bool // named: who asks for the component in the network finds it
}

// instances lists what is on the node, behind the engine's back.
func (s *scene) instances() []instance {
	s.Helper()
	c, ctx := s.daemon.Client(s), context.Background()
	list, err := c.ContainerList(ctx, client.ContainerListOptions{All: true})
	s.must(err)
	var all []instance
	for _, summary := range list.Items {
		found, err := c.ContainerInspect(ctx, summary.ID, client.ContainerInspectOptions{})
		s.must(err)
		all = append(all, instanceOf(found.Container))
	}
	slices.SortFunc(all, func(a, b instance) int { return strings.Compare(a.name, b.name) })
	return all
}

func instanceOf(c container.InspectResponse) instance {
	i := instance{name: strings.TrimPrefix(c.Name, "/"), component: c.Config.Labels["slipway.component"], running: c.State.Running}
	for _, line := range c.Config.Env {
		if v, ok := strings.CutPrefix(line, "VERSION="); ok {
			i.version = v
		}
	}
	if n := c.NetworkSettings.Networks["slipway-shop"]; n != nil {
		i.named = slices.Contains(n.Aliases, i.component)
	}
	return i
}

// serving are the versions whose instances of a component run and have its name.
func (s *scene) serving(component string) (versions []string) {
	s.Helper()
	for _, i := range s.instances() {
		if i.component == component && i.running && i.named {
			versions = append(versions, i.version)
		}
	}
	return versions
}

// tagOf is the image's tag of a version.
func tagOf(version string) string { return strings.TrimSuffix(engine.BaseName(version), ".0.0") }

// converged demands that exactly the version is there and well.
func (s *scene) converged(version string) {
	s.Helper()
	d, err := s.engine.Deployment(s.Context(), id)
	s.must(err)
	if d.Observed.ServingVersion != version || d.Observed.Health != engine.HealthHealthy || len(d.Observed.Drift) > 0 {
		s.Errorf("%s serves and is %s (%s), drift %v; want %s", d.Observed.ServingVersion, d.Observed.Health, d.Observed.NodeMessage, d.Observed.Drift, version)
	}
	tag := tagOf(version)
	for _, component := range []string{"api", "db"} {
		if serving := s.serving(component); !slices.Equal(serving, []string{tag}) {
			s.Errorf("%s: versions %v serve, want %s alone", component, serving, tag)
		}
	}
	things := s.daemon.Things(s)
	if len(things) != 4 || things[2] != "network slipway-shop" || things[3] != "volume shop-db-data" {
		s.Errorf("on the node are %v", things)
	}
}

// tidy demands that, of images, only those of the last versions are there: the
// serving one and two before it.
func (s *scene) tidy() {
	s.Helper()
	list, err := s.daemon.Client(s).ImageList(context.Background(), client.ImageListOptions{})
	s.must(err)
	for _, i := range list.Items {
		if !slices.ContainsFunc(i.RepoTags, func(tag string) bool { return strings.HasPrefix(tag, "slipway/") }) {
			s.Errorf("image %s is nobody's: %v, %v", i.ID, i.RepoTags, i.RepoDigests)
		}
	}
	if len(list.Items) > 3 {
		s.Errorf("%d images are on the node", len(list.Items))
	}
}

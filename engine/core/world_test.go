package core_test

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/random"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/fake"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

const password = "canary-registry-password"

// scene is an engine on a node in memory, with a real store and a real registry.
type scene struct {
	*testing.T
	dir      string
	registry *testimage.RegistryServer
	node     *fake.Node
	engine   *core.Engine
	journal  func(core.Journal) core.Journal
	alive    func(store.LeaseOwner) bool
	history  catalog.History
	clock    health.Clock // nil = the system's
	deadline string       // of a rollout, "" = one that only a hang reaches
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{T: t, dir: t.TempDir(), node: fake.New()}
	s.shareRegistry()
	s.open()
	return s
}

var shared struct {
	once     sync.Once
	registry *testimage.RegistryServer
	err      error
}

// shareRegistry gives the scene the registry of this test run: nobody changes it.
func (s *scene) shareRegistry() {
	s.Helper()
	shared.once.Do(func() {
		shared.registry, shared.err = testimage.NewRegistry(testimage.RegistryOptions{Username: "ci", Password: password})
		for _, name := range []string{"shop/db:1", "shop/api:1", "shop/api:2"} {
			if shared.err == nil {
				shared.err = push(shared.registry, name)
			}
		}
	})
	s.must(shared.err)
	s.registry = shared.registry
}

func push(r *testimage.RegistryServer, name string) error {
	image, err := random.Image(64, 1)
	if err != nil {
		return err
	}
	_, err = r.Store(name, image)
	return err
}

// open opens the engine anew, as the next provider process would.
func (s *scene) open() {
	s.Helper()
	if s.engine != nil {
		_ = s.engine.Close() // a killed one is closed already
	}
	e, err := core.Open(s.Context(), core.Config{
		DataDir: s.dir, Journal: s.journal, Alive: s.alive, Clock: s.clock, History: s.history,
		NewDriver: func(engine.Node) (node.Driver, error) { return s.node.Driver(""), nil },
	})
	s.must(err)
	s.engine = e
	s.Cleanup(func() { _ = e.Close() })
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
	ctx := s.Context()
	_, err := s.engine.CreateTeam(ctx, engine.Team{Name: "acme"})
	s.must(err)
	_, err = s.engine.CreateNode(ctx, engine.Node{
		TeamID: "acme", Name: "here", Kind: engine.NodeLocal, Allocation: engine.AllocationOpen, Local: &engine.LocalNode{Address: "127.0.0.1"},
	})
	s.must(err)
	_, err = s.engine.CreateRegistry(ctx, engine.Registry{TeamID: "acme", Name: "main", URL: "http://" + s.registry.URL(), Username: "ci"}, password)
	s.must(err)
	_, err = s.engine.CreateProduct(ctx, engine.Product{TeamID: "acme", Name: "shop", Type: engine.ProductComplex})
	s.must(err)
	_, err = s.engine.CreateEnvironment(ctx, engine.Environment{
		TeamID: "acme", Name: "production", NodeID: "acme/here", Type: engine.EnvironmentProduction,
		Variables: engine.SetVariables(map[string]string{"TIER": "gold"}),
	}, map[string]string{"TOKEN": "canary-environment-secret"})
	s.must(err)
}

// version makes version name with api's image and environment.
func (s *scene) version(name, tag string, env map[string]string) engine.Version {
	s.Helper()
	v, err := s.engine.CreateVersion(s.Context(), s.wanted(name, tag, env))
	s.must(err)
	return v
}

func (s *scene) wanted(name, tag string, env map[string]string) engine.Version {
	check := map[string]engine.HealthCheck{"up": {HTTP: &engine.HTTPCheck{Port: 8080}}}
	return engine.Version{
		ProductID: "acme/shop", Name: name, Type: engine.VersionIncremental, Status: engine.VersionActive,
		Components: map[string]engine.Component{
			"db": {Image: s.registry.URL() + "/shop/db:1", HealthChecks: check, Volumes: map[string]engine.Volume{"data": {Path: "/data"}}},
			"api": {
				Image: s.registry.URL() + "/shop/api:" + tag, HealthChecks: check, DependsOn: []string{"db"},
				Env: env, Secrets: []string{"TOKEN"},
			},
		},
	}
}

var quick = engine.Strategy{
	Type: "rolling", MaxParallel: 1, MinHealthyTime: "50ms", ProgressDeadline: "30s", DrainTimeout: "1s", AutoRollback: true,
}

func shop(ref string) engine.Deployment {
	return engine.Deployment{EnvironmentID: "acme/production", Version: ref, Strategy: quick}
}

func (s *scene) create(ref string) (engine.Deployment, error) {
	return s.engine.CreateDeployment(s.Context(), s.bounded(shop(ref)), nil)
}

// bounded gives the scene's deadline to a deployment that will reach it.
func (s *scene) bounded(d engine.Deployment) engine.Deployment {
	if s.deadline != "" {
		d.Strategy.ProgressDeadline = s.deadline
	}
	return d
}

func (s *scene) update(ref string) (engine.Deployment, error) {
	d := s.bounded(shop(ref))
	d.Prefix = "shop"
	return s.engine.UpdateDeployment(s.Context(), d, nil)
}

const id = "acme/production/shop"

func (s *scene) running() []string {
	var names []string
	for _, i := range s.node.Running(id) {
		names = append(names, i.Key.Name)
	}
	return names
}

func (s *scene) wantRunning(names ...string) {
	s.Helper()
	if got := s.running(); !slices.Equal(got, names) {
		s.Errorf("running %v, want %v", got, names)
	}
	if all := s.node.All(); len(all) != len(names) {
		s.Errorf("%d instances on the node, want only %v", len(all), names)
	}
}

// statuses lists the revisions' statuses by number.
func (s *scene) statuses() map[int]engine.RevisionStatus {
	s.Helper()
	revisions, err := s.engine.Revisions(s.Context(), id)
	s.must(err)
	all := map[int]engine.RevisionStatus{}
	for _, r := range revisions {
		all[r.Number] = r.Status
	}
	return all
}

func (s *scene) wantStatuses(want ...engine.RevisionStatus) {
	s.Helper()
	all := map[int]engine.RevisionStatus{}
	for i, status := range want {
		all[i+1] = status
	}
	if got := s.statuses(); !maps.Equal(got, all) {
		s.Errorf("revisions are %v, want %v", got, all)
	}
}

func wantClass(t *testing.T, err, class error) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Fatalf("error is %v, want one that is %q", err, class)
	}
}

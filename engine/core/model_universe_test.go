package core_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/random"
	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/fake"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

const (
	modelRegistry   = "registry.example"
	modelRepository = "shop/app"
)

// nodeOf each environment: two meet on one node.
var nodeOf = map[string]string{"acme/production": "acme/here", "acme/staging": "acme/here", "acme/lab": "acme/there"}

// origin is what every universe begins as: a furnished store, and a registry
// whose images have been pushed. A universe moves its own tags.
type origin struct {
	dir     string
	images  http.Handler
	digests []string
}

func newOrigin(t *testing.T) *origin {
	t.Helper()
	registry := testimage.Registry(t, testimage.RegistryOptions{})
	o := &origin{dir: t.TempDir(), images: registry}
	for _, tag := range []string{"a", "b", "c"} {
		made, err := random.Image(16, 1)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := registry.Store(modelRepository+":"+tag, made)
		if err != nil {
			t.Fatal(err)
		}
		o.digests = append(o.digests, digest[strings.LastIndexByte(digest, '@')+1:])
	}
	u := &universe{origin: o, dir: o.dir, nodes: map[string]*fake.Node{"acme/here": fake.New(), "acme/there": fake.New()}, model: o.newModel()}
	p := u.newPlayer()
	if err := furnishModel(t.Context(), p.engine); err != nil {
		t.Fatal(err)
	}
	if err := p.engine.Close(); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *origin) newModel() *model {
	return &model{
		tags:     map[string]string{"1": o.digests[0], "2": o.digests[1]},
		levels:   map[string]string{},
		versions: map[string]modelVersion{}, deployments: map[string]modelDeployment{}, sealed: map[string]modelVersion{},
	}
}

func furnishModel(ctx context.Context, e *core.Engine) error {
	_, err := e.CreateTeam(ctx, engine.Team{Name: "acme"})
	for _, name := range []string{"here", "there"} {
		if err == nil {
			_, err = e.CreateNode(ctx, engine.Node{TeamID: "acme", Name: name, Kind: engine.NodeLocal, Allocation: engine.AllocationOpen, Local: &engine.LocalNode{Address: "127.0.0.1"}})
		}
	}
	if err == nil {
		_, err = e.CreateRegistry(ctx, engine.Registry{TeamID: "acme", Name: "main", URL: "http://" + modelRegistry}, "")
	}
	for _, name := range []string{"shop", "blog"} {
		if err == nil {
			_, err = e.CreateProduct(ctx, engine.Product{TeamID: "acme", Name: name, Type: engine.ProductComplex})
		}
	}
	for id, node := range nodeOf {
		if err == nil {
			_, err = e.CreateEnvironment(ctx, engine.Environment{TeamID: "acme", Name: engine.BaseName(id), NodeID: node, Type: engine.EnvironmentStaging}, nil)
		}
	}
	return err
}

// universe is one data directory with everything that works on it.
type universe struct {
	*origin
	dir     string
	nodes   map[string]*fake.Node
	players []*player
	raw     *raw
	model   *model
	runs    int
	story   []string

	mu     sync.Mutex
	buried map[string]bool // leases whose owner is dead
}

// player is an engine and its life.
type player struct {
	*life
	engine *core.Engine
	images *image.Client
	on     string // the deployment that it works on
}

// newUniverse begins anew, with two engines.
func (o *origin) newUniverse(t *rapid.T) *universe {
	dir, err := os.MkdirTemp(filepath.Dir(o.dir), "universe-")
	if err == nil {
		err = os.CopyFS(dir, os.DirFS(o.dir))
	}
	u := &universe{
		origin: o, dir: dir, nodes: map[string]*fake.Node{"acme/here": fake.New(), "acme/there": fake.New()},
		model: o.newModel(), buried: map[string]bool{},
	}
	if err == nil {
		u.raw, err = openRaw(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	u.players = []*player{u.newPlayer(), u.newPlayer()}
	return u
}

func (u *universe) close() {
	for _, p := range u.players {
		_ = p.engine.Close() // a dead one is closed already
	}
	u.raw.close()
	_ = os.RemoveAll(u.dir)
}

// newPlayer opens an engine, as a provider process would.
func (u *universe) newPlayer() *player {
	p := &player{life: &life{}, images: image.NewClient(image.Options{Transport: u})}
	e, err := core.Open(context.Background(), core.Config{
		DataDir: u.dir, Images: p.images, Alive: u.alive,
		Journal:   func(next core.Journal) core.Journal { return mortalJournal{p.life, next} },
		NewDriver: func(n engine.Node) (node.Driver, error) { return mortalDriver{u.nodes[n.ID].Driver(""), p.life}, nil },
	})
	if err != nil {
		panic(err)
	}
	p.engine = e
	p.die = func() {
		u.bury(p.on)
		_ = e.Close()
	}
	return p
}

// bury lets others know that who holds the deployment is dead.
func (u *universe) bury(deployment string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, owner := range u.raw.owners("deployment " + deployment) {
		u.buried[owner] = true
	}
}

func (u *universe) alive(o store.LeaseOwner) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return !u.buried[o.ID]
}

// RoundTrip answers as the registry would, without a connection.
func (u *universe) RoundTrip(req *http.Request) (*http.Response, error) {
	u.mu.Lock()
	place, tag := filepath.Split(req.URL.Path)
	if digest := u.model.tags[tag]; strings.HasSuffix(place, "/manifests/") && digest != "" {
		req = req.Clone(req.Context())
		req.URL.Path = place + digest
	}
	u.mu.Unlock()
	answer := httptest.NewRecorder()
	u.images.ServeHTTP(answer, req)
	resp := answer.Result()
	resp.Request = req
	return resp, nil
}

package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// TestObjectsComeBackWhole writes every field and reads it again.
func TestObjectsComeBackWhole(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	two, cpu := 2, 0.5
	team := engine.Team{ID: "beta", Name: "beta", Description: "d"}
	node := engine.Node{
		ID: "beta/n", TeamID: "beta", Name: "n", Description: "d", Labels: map[string]string{"a": "b"}, Allocation: engine.AllocationDrain,
		Kind: engine.NodeLocal, Local: &engine.LocalNode{Root: "/r", Address: "127.0.0.2"}, KeepVersions: 4,
	}
	registry := engine.Registry{ID: "beta/r", TeamID: "beta", Name: "r", URL: "u", Username: "n", CACertificate: "c"}
	product := engine.Product{ID: "beta/p", TeamID: "beta", Name: "p", Type: engine.ProductComplex, Description: "d", Labels: map[string]string{}}
	environment := engine.Environment{
		ID: "beta/e", TeamID: "beta", Name: "e", NodeID: "beta/n", Type: engine.EnvironmentStaging, Description: "d",
		Variables: engine.SetVariables(map[string]string{"K": ""}), PromotesFromID: "beta/source", MinSoak: "1h", DeletionProtection: true,
	}
	v := version("beta/p/1.0.0", 1)
	v.Changelog, v.Status = "c", engine.VersionPreferred
	v.Components["api"] = engine.Component{Image: "i", Replicas: &two, Resources: &engine.Resources{CPU: &cpu}, Env: map[string]string{"A": "1"}}
	d := store.DeploymentRecord{
		Deployment: engine.Deployment{
			ID: "beta/e/p", EnvironmentID: "beta/e", Prefix: "p", Version: "beta/p/1.0.0", DesiredState: engine.StateStopped,
			Variables: engine.SetVariables(map[string]string{"V": "1"}), Components: map[string]engine.ComponentOverride{"api": {Replicas: &two}},
			Strategy: engine.DefaultStrategy, RestoreData: true, KeepSnapshots: 5, RestartTrigger: "t", DeletionProtection: true,
		},
		NodeID: "beta/n", ProductID: "beta/p",
	}

	must[engine.Team](t)(s.CreateTeam(ctx, team))
	must[engine.Node](t)(s.CreateNode(ctx, node))
	must[engine.Registry](t)(s.CreateRegistry(ctx, registry))
	must[engine.Product](t)(s.CreateProduct(ctx, product))
	source := engine.Environment{ID: "beta/source", TeamID: "beta", Name: "source", NodeID: "beta/n", Type: engine.EnvironmentStaging}
	must[engine.Environment](t)(s.CreateEnvironment(ctx, source))
	must[engine.Environment](t)(s.CreateEnvironment(ctx, environment))
	must[store.VersionRecord](t)(s.CreateVersion(ctx, v))
	must[store.DeploymentRecord](t)(s.CreateDeployment(ctx, d))

	same(t, team, must[engine.Team](t)(s.Team(ctx, team.ID)))
	same(t, node, must[engine.Node](t)(s.Node(ctx, node.ID)))
	same(t, registry, must[engine.Registry](t)(s.Registry(ctx, registry.ID)))
	same(t, product, must[engine.Product](t)(s.Product(ctx, product.ID)))
	same(t, environment, must[engine.Environment](t)(s.Environment(ctx, environment.ID)))
	v.Ref = v.ID + "@" + v.Digest
	same(t, v, must[store.VersionRecord](t)(s.Version(ctx, v.ID)).Version)
	got := must[store.DeploymentRecord](t)(s.Deployment(ctx, d.ID))
	d.PromotesFromID = environment.PromotesFromID
	if got.CreatedAt.IsZero() || !got.Held || got.Confirmed {
		t.Errorf("a new deployment is %+v", got)
	}
	d.Held, d.CreatedAt, d.Observed.NodeID = true, got.CreatedAt, "beta/n"
	same(t, d, got)
}

func same[T any](t *testing.T, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%T came back different (-want +got):\n%s", want, diff)
	}
}

// noun is one kind of object, driven the same way for all of them.
type noun struct {
	kind   engine.Kind
	id     string
	create func(description string) error
	update func(id, description string) error
	read   func(id string) (string, error)
	remove func(id string) error
}

func nouns(ctx context.Context, s *store.Store) []noun {
	second := func(_ any, err error) error { return err }
	team := func(id, d string) engine.Team { return engine.Team{ID: id, Name: id, Description: d} }
	node := func(id, d string) engine.Node {
		return engine.Node{ID: id, TeamID: "acme", Name: "n", Description: d, Kind: engine.NodeLocal}
	}
	registry := func(id, d string) engine.Registry {
		return engine.Registry{ID: id, TeamID: "acme", Name: "r", Username: d}
	}
	product := func(id, d string) engine.Product {
		return engine.Product{ID: id, TeamID: "acme", Name: "p", Type: engine.ProductComplex, Description: d}
	}
	ver := func(id, d string) engine.Version {
		v := version(id, 0)
		v.ProductID, v.Type, v.Changelog = "acme/shop", engine.VersionRolling, d
		return v
	}
	environment := func(id, d string) engine.Environment {
		return engine.Environment{ID: id, TeamID: "acme", Name: "e", NodeID: "acme/here", Description: d}
	}
	depl := func(id, d string) store.DeploymentRecord {
		r := deployment("x")
		r.ID, r.RestartTrigger = id, d
		return r
	}
	return []noun{
		{engine.KindTeam, "t", func(d string) error { return second(s.CreateTeam(ctx, team("t", d))) },
			func(id, d string) error { return second(s.UpdateTeam(ctx, team(id, d))) },
			func(id string) (string, error) { v, err := s.Team(ctx, id); return v.Description, err },
			func(id string) error { return s.DeleteTeam(ctx, id) }},
		{engine.KindNode, "acme/n", func(d string) error { return second(s.CreateNode(ctx, node("acme/n", d))) },
			func(id, d string) error { return second(s.UpdateNode(ctx, node(id, d))) },
			func(id string) (string, error) { v, err := s.Node(ctx, id); return v.Description, err },
			func(id string) error { return s.DeleteNode(ctx, id) }},
		{engine.KindRegistry, "acme/r", func(d string) error { return second(s.CreateRegistry(ctx, registry("acme/r", d))) },
			func(id, d string) error { return second(s.UpdateRegistry(ctx, registry(id, d))) },
			func(id string) (string, error) { v, err := s.Registry(ctx, id); return v.Username, err },
			func(id string) error { return s.DeleteRegistry(ctx, id) }},
		{engine.KindProduct, "acme/p", func(d string) error { return second(s.CreateProduct(ctx, product("acme/p", d))) },
			func(id, d string) error { return second(s.UpdateProduct(ctx, product(id, d))) },
			func(id string) (string, error) { v, err := s.Product(ctx, id); return v.Description, err },
			func(id string) error { return s.DeleteProduct(ctx, id) }},
		{engine.KindVersion, "acme/shop/edge", func(d string) error { return second(s.CreateVersion(ctx, ver("acme/shop/edge", d))) },
			func(id, d string) error { return second(s.UpdateVersion(ctx, ver(id, d))) },
			func(id string) (string, error) { v, err := s.Version(ctx, id); return v.Changelog, err },
			func(id string) error { return second(s.DeleteVersion(ctx, id)) }},
		{engine.KindEnvironment, "acme/e", func(d string) error { return second(s.CreateEnvironment(ctx, environment("acme/e", d))) },
			func(id, d string) error { return second(s.UpdateEnvironment(ctx, environment(id, d))) },
			func(id string) (string, error) { v, err := s.Environment(ctx, id); return v.Description, err },
			func(id string) error { return s.DeleteEnvironment(ctx, id) }},
		{engine.KindDeployment, "acme/production/x", func(d string) error { return second(s.CreateDeployment(ctx, depl("acme/production/x", d))) },
			func(id, d string) error { return second(s.UpdateDeployment(ctx, depl(id, d))) },
			func(id string) (string, error) { v, err := s.Deployment(ctx, id); return v.RestartTrigger, err },
			func(id string) error { return s.DeleteDeployment(ctx, id) }},
	}
}

// TestLifeOfEveryKind: adopt until confirmed, then refuse; absent is not found;
// secrets go with their owner.
func TestLifeOfEveryKind(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	for _, n := range nouns(ctx, s) {
		t.Run(string(n.kind), func(t *testing.T) {
			_, err := n.read(n.id)
			refused(t, err, engine.ErrNotFound, n.id)
			refused(t, n.update(n.id, "x"), engine.ErrNotFound)
			refused(t, n.remove(n.id), engine.ErrNotFound)
			refused(t, s.Confirm(ctx, n.kind, n.id), engine.ErrNotFound)
			refused(t, s.ReplaceSecrets(ctx, n.kind, n.id, nil), engine.ErrInvalid)

			ok(t, n.create("first"))
			ok(t, n.create("adopted"))
			if d := must[string](t)(n.read(n.id)); d != "adopted" {
				t.Errorf("an unconfirmed object was not adopted: %q", d)
			}
			ok(t, s.Confirm(ctx, n.kind, n.id))
			refused(t, n.create("again"), engine.ErrExists, n.id)
			ok(t, n.update(n.id, "updated"))
			if d := must[string](t)(n.read(n.id)); d != "updated" {
				t.Errorf("after an update it is %q", d)
			}
			refused(t, n.create("again"), engine.ErrExists)

			ok(t, s.ReplaceSecrets(ctx, n.kind, n.id, map[string]store.Secret{"b": {Cipher: []byte("1")}, "a": {Cipher: []byte("2"), Hash: "h"}}))
			ok(t, n.update(n.id, "keeps secrets"))
			same(t, []string{"a", "b"}, must[[]string](t)(s.SecretNames(ctx, n.kind, n.id)))
			ok(t, s.ReplaceSecrets(ctx, n.kind, n.id, map[string]store.Secret{"a": {Cipher: []byte("3"), Hash: "i"}}))
			same(t, map[string]store.Secret{"a": {Cipher: []byte("3"), Hash: "i"}}, must[map[string]store.Secret](t)(s.Secrets(ctx, n.kind, n.id)))

			ok(t, n.remove(n.id))
			same(t, map[string]store.Secret{}, must[map[string]store.Secret](t)(s.Secrets(ctx, n.kind, n.id)))
			_, err = n.read(n.id)
			refused(t, err, engine.ErrNotFound)
		})
	}
}

func TestWhatIsInUseStays(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	for i := range 7 {
		must[store.DeploymentRecord](t)(s.CreateDeployment(ctx, deployment(fmt.Sprintf("p%d", i))))
	}
	refused(t, s.DeleteTeam(ctx, "acme"), engine.ErrConflict, "environment acme/production", "product acme/shop", "node acme/here")
	refused(t, s.DeleteNode(ctx, "acme/here"), engine.ErrConflict, "deployment acme/production/p0", "acme/production/p4", "and 3 more")
	refused(t, s.DeleteEnvironment(ctx, "acme/production"), engine.ErrConflict, "deployment acme/production/p0", "and 2 more",
		`"import slipway_deployment.it acme/production/p0"`)
	refused(t, s.DeleteProduct(ctx, "acme/shop"), engine.ErrConflict, "deployment acme/production/p0")
	must[engine.Team](t)(s.Team(ctx, "acme"))
	if n := len(must[[]store.VersionRecord](t)(s.ListVersionsByProduct(ctx, "acme/shop"))); n != 3 {
		t.Errorf("a refused deletion left %d of 3 versions", n)
	}
}

func TestParentsMustExist(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	_, err := s.CreateNode(ctx, engine.Node{ID: "no/n", TeamID: "no"})
	refused(t, err, engine.ErrInvalid, "team_id", `"no"`)
	_, err = s.CreateRegistry(ctx, engine.Registry{ID: "no/n", TeamID: "no"})
	refused(t, err, engine.ErrInvalid, "team_id")
	_, err = s.CreateProduct(ctx, engine.Product{ID: "no/n", TeamID: "no"})
	refused(t, err, engine.ErrInvalid, "team_id")
	_, err = s.CreateVersion(ctx, version("no/n/1.0.0", 1))
	refused(t, err, engine.ErrInvalid, "product_id")
	shop(t, s)
	_, err = s.CreateEnvironment(ctx, engine.Environment{ID: "acme/e", TeamID: "acme", NodeID: "no"})
	refused(t, err, engine.ErrInvalid, "node_id")
	d := deployment("shop")
	d.EnvironmentID = "no"
	_, err = s.CreateDeployment(ctx, d)
	refused(t, err, engine.ErrInvalid, "environment_id")
}

func TestListsAndFilters(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	for _, p := range []string{"b", "a"} {
		must[store.DeploymentRecord](t)(s.CreateDeployment(ctx, deployment(p)))
	}
	ok(t, s.ReplaceSecrets(ctx, engine.KindDeployment, "acme/production/a", map[string]store.Secret{"K": {Cipher: []byte("c")}}))
	start(t, s, "acme/production/a", "1.0.0")
	for name, c := range map[string]struct {
		f    engine.DeploymentFilter
		want []string
	}{
		"all":         {engine.DeploymentFilter{}, []string{"a", "b"}},
		"team":        {engine.DeploymentFilter{TeamID: "acme"}, []string{"a", "b"}},
		"other team":  {engine.DeploymentFilter{TeamID: "beta"}, nil},
		"environment": {engine.DeploymentFilter{EnvironmentID: "acme/production", ProductID: "acme/shop"}, []string{"a", "b"}},
		"version":     {engine.DeploymentFilter{Version: "acme/shop/1.0.0"}, []string{"a", "b"}},
		"ref":         {engine.DeploymentFilter{Version: "acme/shop/1.0.0@sha256:1.0.0"}, []string{"a", "b"}},
		"other ref":   {engine.DeploymentFilter{Version: "acme/shop/1.0.0@sha256:2"}, nil},
		"status":      {engine.DeploymentFilter{Status: "in_progress"}, []string{"a"}},
	} {
		var got []string
		for _, d := range must[[]store.DeploymentRecord](t)(s.ListDeployments(ctx, c.f)) {
			got = append(got, d.Prefix)
			same(t, must[store.DeploymentRecord](t)(s.Deployment(ctx, d.ID)), d)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if n := len(must[[]store.DeploymentRecord](t)(s.ListDeploymentsByNode(ctx, "acme/here"))); n != 2 {
		t.Errorf("the node has %d deployments", n)
	}
	if n := len(must[[]engine.Node](t)(s.ListNodesByTeam(ctx, ""))); n != 1 {
		t.Errorf("all teams have %d nodes", n)
	}
	if n := len(must[[]engine.Environment](t)(s.ListEnvironmentsByTeam(ctx, "beta"))); n != 0 {
		t.Errorf("another team has %d environments", n)
	}
}

func TestPrefixHasOneOwner(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	must[engine.Environment](t)(s.CreateEnvironment(ctx, engine.Environment{ID: "acme/staging", TeamID: "acme", Name: "staging", NodeID: "acme/here"}))
	must[store.DeploymentRecord](t)(s.CreateDeployment(ctx, deployment("shop")))
	other := deployment("shop")
	other.ID, other.EnvironmentID = "acme/staging/shop", "acme/staging"
	_, err := s.CreateDeployment(ctx, other)
	refused(t, err, engine.ErrConflict, "prefix", "acme/production/shop")

	ok(t, s.HoldPrefix(ctx, "acme/production/shop", false))
	if owner := must[string](t)(s.PrefixOwner(ctx, "acme/here", "shop")); owner != "" {
		t.Errorf("a prefix that was given up belongs to %q", owner)
	}
	must[store.DeploymentRecord](t)(s.CreateDeployment(ctx, other))
	refused(t, s.HoldPrefix(ctx, "acme/production/shop", true), engine.ErrConflict, "acme/staging/shop")
	refused(t, s.HoldPrefix(ctx, "acme/production/none", true), engine.ErrNotFound)
}

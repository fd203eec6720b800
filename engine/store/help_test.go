package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

func openStore(t testing.TB) *store.Store {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), store.FileName))
}

func openAt(t testing.TB, path string) *store.Store {
	t.Helper()
	return openWith(t, path, store.Options{})
}

func openWith(t testing.TB, path string, opts store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused requires an error of the class whose text, field and hint hold the words.
func refused(t testing.TB, err error, class error, words ...string) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Fatalf("error is %v, want one of class %v", err, class)
	}
	var e *engine.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v is no *engine.Error", err)
	}
	for _, w := range words {
		if !strings.Contains(e.Field+"\n"+e.Error()+"\n"+e.Hint, w) {
			t.Errorf("error %q (field %q, hint %q) does not tell %q", e, e.Field, e.Hint, w)
		}
	}
}

// shop is a store with a team, a node, a complex product, an environment and
// versions 1.0.0 to 3.0.0 in a chain.
func shop(t testing.TB, s *store.Store) {
	t.Helper()
	ctx := context.Background()
	must[engine.Team](t)(s.CreateTeam(ctx, engine.Team{ID: "acme", Name: "acme"}))
	must[engine.Node](t)(s.CreateNode(ctx, engine.Node{ID: "acme/here", TeamID: "acme", Name: "here", Kind: engine.NodeLocal, Local: &engine.LocalNode{Address: "127.0.0.1"}}))
	must[engine.Product](t)(s.CreateProduct(ctx, engine.Product{ID: "acme/shop", TeamID: "acme", Name: "shop", Type: engine.ProductComplex}))
	must[engine.Environment](t)(s.CreateEnvironment(ctx, engine.Environment{ID: "acme/production", TeamID: "acme", Name: "production", NodeID: "acme/here"}))
	parent := ""
	for i, name := range []string{"1.0.0", "2.0.0", "3.0.0"} {
		v := version("acme/shop/"+name, i+1)
		v.ParentID = parent
		must[store.VersionRecord](t)(s.CreateVersion(ctx, v))
		parent = v.ID
	}
	for kind, id := range map[engine.Kind]string{
		engine.KindTeam: "acme", engine.KindNode: "acme/here", engine.KindProduct: "acme/shop", engine.KindEnvironment: "acme/production",
	} {
		ok(t, s.Confirm(ctx, kind, id))
	}
}

func version(id string, number int) engine.Version {
	return engine.Version{
		ID: id, ProductID: engine.ParentID(id), Name: engine.BaseName(id), Type: engine.VersionIncremental, Status: engine.VersionActive,
		Number: number, Digest: "sha256:" + engine.BaseName(id),
		Components: map[string]engine.Component{"api": {Image: "app:" + engine.BaseName(id)}},
		Images:     map[string]string{"api": "registry/app:" + engine.BaseName(id) + "@sha256:00"},
	}
}

func deployment(prefix string) store.DeploymentRecord {
	return store.DeploymentRecord{
		Deployment: engine.Deployment{
			ID: "acme/production/" + prefix, EnvironmentID: "acme/production", Prefix: prefix,
			Version: "acme/shop/1.0.0@sha256:1.0.0", DesiredState: engine.StateRunning, Strategy: engine.DefaultStrategy,
		},
		NodeID: "acme/here", ProductID: "acme/shop",
	}
}

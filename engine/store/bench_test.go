package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// BenchmarkOpen is what each provider process pays before its first question:
// open, read one object, close. The goal is 10 ms.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), store.FileName)
	s := openAt(b, path)
	if _, err := s.CreateTeam(context.Background(), engine.Team{ID: "acme", Name: "acme"}); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := store.Open(context.Background(), path, store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Team(context.Background(), "acme"); err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFirstOpen makes a new store each time.
func BenchmarkFirstOpen(b *testing.B) {
	dir := b.TempDir()
	n := 0
	for b.Loop() {
		n++
		s, err := store.Open(context.Background(), filepath.Join(dir, fmt.Sprint(n), store.FileName), store.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWrite is one journaled step: a durable transaction.
func BenchmarkWrite(b *testing.B) {
	ctx := context.Background()
	s := openStore(b)
	o, err := s.CreateOperation(ctx, engine.Operation{DeploymentID: "acme/production/shop", Kind: "update"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.StartStep(ctx, o.ID, "pull", "api", ""); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRead is one object by id.
func BenchmarkRead(b *testing.B) {
	ctx := context.Background()
	s := openStore(b)
	if _, err := s.CreateTeam(ctx, engine.Team{ID: "acme", Name: "acme"}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Team(ctx, "acme"); err != nil {
			b.Fatal(err)
		}
	}
}

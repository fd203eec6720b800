package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image/cache"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/stats"
)

const (
	productID     = "acme/bench"
	environmentID = "acme/bench"
)

// world is an engine with a local node, and a place to deploy to.
type world struct {
	*core.Engine
	root   state.Root // of the node
	pinned string     // the application's image by digest
}

// open makes the world of this run, and brings the application's image to its node.
func (b *bench) open(ctx context.Context) (*world, error) {
	if b.world != nil {
		return b.world, nil
	}
	e, err := core.Open(ctx, core.Config{DataDir: filepath.Join(b.dir, "e")})
	if err != nil {
		return nil, err
	}
	w := &world{Engine: e, root: state.Root{Dir: filepath.Join(b.dir, "n")}}
	b.world = w
	if err := w.furnish(ctx, b.registry()); err != nil {
		return nil, err
	}
	v, err := w.version(ctx, "warm", b.components(1, false))
	if err != nil {
		return nil, err
	}
	w.pinned = v.Images[componentName(0)]
	_, err = w.deploy(ctx, v.Ref, "warm")
	return w, err
}

func (w *world) furnish(ctx context.Context, registryURL string) error {
	_, team := w.CreateTeam(ctx, engine.Team{Name: "acme"})
	_, registry := w.CreateRegistry(ctx, engine.Registry{TeamID: "acme", Name: "bench", URL: registryURL}, "")
	_, node := w.CreateNode(ctx, engine.Node{
		TeamID: "acme", Name: "here", Kind: engine.NodeLocal, Allocation: engine.AllocationOpen, KeepVersions: 3,
		Local: &engine.LocalNode{Root: w.root.Dir, Address: "127.0.0.1"},
	})
	_, product := w.CreateProduct(ctx, engine.Product{TeamID: "acme", Name: "bench", Type: engine.ProductComplex})
	_, environment := w.CreateEnvironment(ctx, engine.Environment{
		TeamID: "acme", Name: "bench", NodeID: "acme/here", Type: engine.EnvironmentDevelopment,
	}, nil)
	return errors.Join(team, registry, node, product, environment)
}

// close ends the engine; nil is fine.
func (w *world) close() error {
	if w == nil {
		return nil
	}
	return w.Close()
}

// components are n of the application with one http check each; in a chain each
// depends on the one before.
func (b *bench) components(n int, chain bool) map[string]engine.Component {
	all := map[string]engine.Component{}
	for i := range n {
		c := engine.Component{
			Image:        b.image,
			HealthChecks: map[string]engine.HealthCheck{"up": {HTTP: &engine.HTTPCheck{Port: appPort}}},
		}
		if chain && i > 0 {
			c.DependsOn = []string{componentName(i - 1)}
		}
		all[componentName(i)] = c
	}
	return all
}

func componentName(i int) string { return fmt.Sprintf("c%d", i) }

func (w *world) version(ctx context.Context, name string, components map[string]engine.Component) (engine.Version, error) {
	return w.CreateVersion(ctx, engine.Version{
		ProductID: productID, Name: name, Type: engine.VersionRolling, Status: engine.VersionActive, Components: components,
	})
}

// deploy makes a deployment, and removes it again once it was measured.
func (w *world) deploy(ctx context.Context, ref, prefix string) (stats.Cost, error) {
	strategy := engine.DefaultStrategy
	strategy.MinHealthyTime = "0s"
	spent, err := cost(func() error {
		_, err := w.CreateDeployment(ctx, engine.Deployment{
			EnvironmentID: environmentID, Version: ref, Prefix: prefix, Strategy: strategy,
		}, nil)
		return err
	})
	gone := w.DeleteDeployment(context.WithoutCancel(ctx), engine.JoinID(environmentID, prefix))
	if errors.Is(gone, engine.ErrNotFound) {
		gone = nil // one that failed has left nothing
	}
	return spent, errors.Join(err, gone)
}

// layers are the directories of the application's unpacked image.
func (w *world) layers() ([]string, error) {
	images, err := cache.Open(w.root.Images())
	if err != nil {
		return nil, err
	}
	found, err := images.Image(image.Digest(w.pinned))
	return found.Layers, err
}

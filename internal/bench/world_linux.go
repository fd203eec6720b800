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

// world is an engine with a node, and a place to deploy to.
type world struct {
	*core.Engine
	proving *stopwatch // how long the last proof of an instance took
	root    state.Root // of a local node
	pinned  string     // the application's image by digest
}

// open makes the world of this run, and brings the application's image to its node.
func (b *bench) open(ctx context.Context) (*world, error) {
	if b.world != nil {
		return b.world, nil
	}
	root := state.Root{Dir: filepath.Join(b.dir, "n")}
	w, err := b.newWorld(ctx, "e", engine.Node{Kind: engine.NodeLocal, Local: &engine.LocalNode{Root: root.Dir, Address: "127.0.0.1"}})
	if err != nil {
		return nil, err
	}
	w.root, b.world = root, w
	return w, w.warm(ctx, b)
}

// newWorld opens an engine in a directory of its own, with what a deployment refers to.
func (b *bench) newWorld(ctx context.Context, dir string, n engine.Node) (*world, error) {
	proving := &stopwatch{}
	e, err := core.Open(ctx, core.Config{DataDir: filepath.Join(b.dir, dir), Journal: proving.wrap})
	if err != nil {
		return nil, err
	}
	w := &world{Engine: e, proving: proving}
	if err := w.furnish(ctx, b.registry(), n); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return w, nil
}

func (w *world) furnish(ctx context.Context, registryURL string, n engine.Node) error {
	_, team := w.CreateTeam(ctx, engine.Team{Name: "acme"})
	_, registry := w.CreateRegistry(ctx, engine.Registry{TeamID: "acme", Name: "bench", URL: registryURL}, "")
	_, product := w.CreateProduct(ctx, engine.Product{TeamID: "acme", Name: "bench", Type: engine.ProductComplex})
	return errors.Join(team, registry, product, w.place(ctx, "here", environmentID, n))
}

// place makes a node and an environment on it.
func (w *world) place(ctx context.Context, name, environment string, n engine.Node) error {
	n.TeamID, n.Name, n.Allocation, n.KeepVersions = "acme", name, engine.AllocationOpen, 3
	_, made := w.CreateNode(ctx, n)
	_, furnished := w.CreateEnvironment(ctx, engine.Environment{
		TeamID: "acme", Name: engine.BaseName(environment), NodeID: engine.JoinID("acme", name), Type: engine.EnvironmentDevelopment,
	}, nil)
	return errors.Join(made, furnished)
}

// warm brings the application's image to the node. It stays there for the sake of
// a deployment that is stopped: else it would go with what is measured.
func (w *world) warm(ctx context.Context, b *bench) error {
	v, err := w.version(ctx, "warm", b.components(1, false))
	if err != nil {
		return err
	}
	w.pinned = v.Images[componentName(0)]
	d := wanted(environmentID, v.Ref, "warm")
	if _, err := w.CreateDeployment(ctx, d, nil); err != nil {
		return err
	}
	d.ID, d.DesiredState = engine.JoinID(environmentID, "warm"), engine.StateStopped
	_, err = w.UpdateDeployment(ctx, d, nil)
	return err
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
	spent, err := cost(func() error { return w.create(ctx, environmentID, ref, prefix) })
	return spent, errors.Join(err, w.remove(ctx, environmentID, prefix))
}

func (w *world) create(ctx context.Context, environment, ref, prefix string) error {
	_, err := w.CreateDeployment(ctx, wanted(environment, ref, prefix), nil)
	return err
}

// wanted is a deployment that is healthy as soon as its checks pass.
func wanted(environment, ref, prefix string) engine.Deployment {
	strategy := engine.DefaultStrategy
	strategy.MinHealthyTime = "0s"
	return engine.Deployment{EnvironmentID: environment, Version: ref, Prefix: prefix, Strategy: strategy}
}

// remove removes a deployment, also when ctx ended; one that failed has left nothing.
func (w *world) remove(ctx context.Context, environment, prefix string) error {
	err := w.DeleteDeployment(context.WithoutCancel(ctx), engine.JoinID(environment, prefix))
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return err
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

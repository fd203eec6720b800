package main

import (
	"context"
	"errors"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local"
	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/stats"
)

// startDeployment is known to the node only.
const startDeployment = environmentID + "/start"

// starts measures what the node alone takes until a process exists, without the
// engine's books and without a health check.
func (b *bench) starts(ctx context.Context) error {
	w, err := b.open(ctx)
	if err != nil {
		return err
	}
	driver, err := local.New(local.Config{Root: w.root.Dir, EngineID: w.EngineID()})
	if err != nil {
		return err
	}
	defer driver.Close() //nolint:errcheck // it holds nothing
	var supervisors, instances []time.Duration
	for i := -1; i < b.rounds; i++ {
		supervisor, instance, err := b.startOnce(ctx, driver)
		if err != nil {
			return err
		}
		if i >= 0 {
			supervisors, instances = append(supervisors, supervisor), append(instances, instance)
		}
	}
	b.value("a supervisor, until it holds the traffic table", duration(stats.Median(supervisors)), "")
	b.value("one more cached instance, created and started", duration(stats.Median(instances)), "")
	return nil
}

// startOnce starts a supervisor, and then its first instance.
func (b *bench) startOnce(ctx context.Context, d node.Driver) (supervisor, instance time.Duration, err error) {
	defer func() {
		err = errors.Join(err, d.RemoveDeployment(context.WithoutCancel(ctx), startDeployment, nil))
	}()
	first, second := b.spec("c0-1-1"), b.spec("c0-1-2")
	if err := d.Create(ctx, first); err != nil {
		return 0, 0, err
	}
	began := time.Now()
	_, err = d.Route(ctx, startDeployment, []node.Route{{Component: "c0", Instances: []string{first.Key.Name}}})
	supervisor = time.Since(began)
	if err != nil {
		return supervisor, 0, err
	}
	if err := d.Start(ctx, first.Key, node.Secrets{}); err != nil {
		return supervisor, 0, err
	}
	began = time.Now()
	if err := d.Create(ctx, second); err != nil {
		return supervisor, 0, err
	}
	err = d.Start(ctx, second.Key, node.Secrets{})
	return supervisor, time.Since(began), err
}

func (b *bench) spec(name string) node.Spec {
	return node.Spec{
		Key:       node.Key{Deployment: startDeployment, Name: name},
		Labels:    node.Labels{Engine: b.world.EngineID(), Deployment: startDeployment, Component: "c0", Revision: 1, Ordinal: 1},
		Image:     b.world.pinned,
		Component: b.components(1, false)["c0"],
	}
}

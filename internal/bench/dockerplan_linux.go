package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/stats"
)

// containersEach is how many components a deployment of workload W2 has.
const containersEach = 20

// dockerPlans is workload W2 on a Docker Engine: everything is looked at.
func (b *bench) dockerPlans(ctx context.Context) error {
	d, err := b.openDocker(ctx)
	if err != nil {
		return err
	}
	b.columns("floor")
	var compared []stats.Comparison
	for _, n := range b.planned {
		c, err := b.dockerPlan(ctx, d, n)
		if err != nil {
			return err
		}
		compared = append(compared, c)
	}
	b.growth(b.planned, compared)
	return nil
}

// dockerPlan is the plan of n containers.
func (b *bench) dockerPlan(ctx context.Context, d *dockerWorld, n int) (c stats.Comparison, err error) {
	name := fmt.Sprintf("docker-plan%d", n)
	node := fmt.Sprintf("docker = { host = %q }", d.calls.Host)
	ours, err := b.applied(ctx, name, deploymentsConfiguration(b.registry(), node, component(b.image), n, min(n, containersEach)))
	if err != nil {
		return c, err
	}
	defer func() {
		_, gone := ours.run(context.WithoutCancel(ctx), "destroy", "-auto-approve")
		err = errors.Join(err, gone)
		delete(b.done, name)
	}()
	floor, err := b.applied(ctx, fmt.Sprintf("f%d", n), floorConfiguration(n))
	if err != nil {
		return c, err
	}
	d.calls.Take()
	if _, err := ours.plan(ctx); err != nil {
		return c, err
	}
	calls := d.calls.Take()
	if lists, looks := calls["GET /containers/json"], calls["GET /containers/{}/json"]; lists != 1 || looks > n {
		return c, fmt.Errorf("a plan of %d containers asked for %d lists and %d inspections, want one list and each container at most once", n, lists, looks)
	}
	c, err = b.compare(ctx, func(ctx context.Context) (stats.Cost, error) { return d.beside(ctx, ours.plan) }, floor.plan)
	if err != nil {
		return c, err
	}
	b.report.compare(fmt.Sprintf("%d unchanged", n), c, "<= 1.25")
	b.value("  the Engine's CPU", duration(c.Ours.Daemon), "")
	b.line("  calls: %d (%s)", calls.Total(), calls)
	return c, nil
}

// beside adds what the Docker Engine spent meanwhile to what terraform did.
func (d *dockerWorld) beside(ctx context.Context, terraform side) (stats.Cost, error) {
	_, before, err := d.spent()
	if err != nil {
		return stats.Cost{}, err
	}
	cost, err := terraform(ctx)
	if err != nil {
		return cost, err
	}
	_, after, err := d.spent()
	cost.Daemon = after - before
	return cost, err
}

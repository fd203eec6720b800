package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/baredocker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/stats"
)

// bareAtOnce is how many containers the bare calls start at the same time: what
// Terraform would, and more makes it no faster.
const bareAtOnce = 10

// dockerDeploys is workload W1 on a Docker Engine.
func (b *bench) dockerDeploys(ctx context.Context) error {
	b.columns("bare API")
	for _, n := range b.containers {
		if err := b.againstBareDocker(ctx, fmt.Sprintf("%d components", n), n, false, "<= 1.15"); err != nil {
			return err
		}
	}
	return nil
}

// dockerFirst is workload W5 on a Docker Engine.
func (b *bench) dockerFirst(ctx context.Context) error {
	b.columns("bare API")
	if err := b.againstBareDocker(ctx, "first healthy instance", 1, false, "<= 600 ms"); err != nil {
		return err
	}
	return b.againstBareDocker(ctx, "chain of five", 5, true, "<= 1.10")
}

// againstBareDocker compares a deployment of n components with the bare calls.
func (b *bench) againstBareDocker(ctx context.Context, what string, n int, chain bool, goal string) error {
	d, err := b.openDocker(ctx)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("n%d", n)
	if chain {
		name += "-chain"
	}
	v, err := d.version(ctx, name, b.components(n, chain))
	if err != nil {
		return err
	}
	order := baredocker.Order{Name: "bare-" + name, Image: onNode(d.pinned), Count: n, AtOnce: bareAtOnce, Chain: chain, Port: appPort}
	anchor := func(ctx context.Context) (stats.Cost, error) { return d.bare(ctx, order) }
	ours := func(ctx context.Context) (stats.Cost, error) { return d.deploy(ctx, v.Ref, name) }
	if _, err := anchor(ctx); err != nil { // the first time of anything does not count
		return err
	}
	counted, err := d.counted(ctx, v.Ref, name)
	if err != nil {
		return err
	}
	profiled, err := b.profiled("docker-" + name)
	if err != nil {
		return err
	}
	defer profiled()
	c, err := b.compare(ctx, ours, anchor)
	if err != nil {
		return err
	}
	b.report.compare(what, c, goal)
	b.value("  our CPU by the Docker Engine's", ratio(stats.Ratio(c.Ours.CPU, c.Ours.Daemon)), "<= 0.10")
	b.value("  the Engine's CPU by that of the bare calls ("+duration(c.Anchor.Daemon)+")", ratio(stats.Ratio(c.Ours.Daemon, c.Anchor.Daemon)), "")
	b.line("  %s", counted)
	return nil
}

// deploy makes a deployment, and removes it again once it was measured.
func (d *dockerWorld) deploy(ctx context.Context, ref, prefix string) (stats.Cost, error) {
	spent, err := d.cost(func() error { return d.create(ctx, environmentID, ref, prefix) })
	return spent, errors.Join(err, d.remove(ctx, environmentID, prefix))
}

// bare does the same with nothing but the calls.
func (d *dockerWorld) bare(ctx context.Context, o baredocker.Order) (stats.Cost, error) {
	spent, err := d.cost(func() error { return baredocker.Bring(ctx, d.api, o) })
	return spent, errors.Join(err, baredocker.Remove(context.WithoutCancel(ctx), d.api, o))
}

// counted tells the calls of creating a deployment, of looking at it, and of removing it.
func (d *dockerWorld) counted(ctx context.Context, ref, prefix string) (string, error) {
	d.calls.Take()
	if err := d.create(ctx, countedID, ref, prefix); err != nil {
		return "", errors.Join(err, d.remove(ctx, countedID, prefix))
	}
	creating := d.calls.Take()
	err := d.remove(ctx, countedID, prefix)
	removing := d.calls.Take()
	return fmt.Sprintf("calls: create %d (%s); remove %d (%s)", creating.Total(), creating, removing.Total(), removing), err
}

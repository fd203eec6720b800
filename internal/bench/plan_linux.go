package main

import (
	"context"
	"fmt"

	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/stats"
)

// plansOf is workload W2.
func (b *bench) plansOf(ctx context.Context) error {
	b.columns("floor")
	compared := make([]stats.Comparison, len(b.resources))
	for i, n := range b.resources {
		ours, err := b.applied(ctx, fmt.Sprintf("s%d", n), versionsConfiguration(b.registry(), b.image, n))
		if err != nil {
			return err
		}
		floor, err := b.applied(ctx, fmt.Sprintf("f%d", n), floorConfiguration(n))
		if err != nil {
			return err
		}
		if compared[i], err = b.compare(ctx, ours.plan, floor.plan); err != nil {
			return err
		}
		b.report.compare(fmt.Sprintf("%d unchanged", n), compared[i], "<= 1.25")
	}
	b.growth(b.resources, compared)
	return nil
}

// growth tells whether what many cost is as many times what few cost.
func (b *bench) growth(counts sizes, compared []stats.Comparison) {
	last := len(compared) - 1
	if last < 1 {
		return
	}
	few, many := counts[0], counts[last]
	grows := func(side func(stats.Comparison) stats.Cost) string {
		return ratio(stats.Growth(side(compared[0]).CPU, side(compared[last]).CPU, few, many))
	}
	what := fmt.Sprintf("CPU for each at %d, by that at %d", many, few)
	b.value(what, grows(func(c stats.Comparison) stats.Cost { return c.Ours }), "<= 1")
	b.value("  the same of the floor", grows(func(c stats.Comparison) stats.Cost { return c.Anchor }), "")
}

// schema tells what is ours of a plan's cost, and what Terraform and the
// framework take for the size of the schema alone.
func (b *bench) schema(ctx context.Context) error {
	b.columns("schema")
	for _, n := range b.resources {
		ours, err := b.applied(ctx, fmt.Sprintf("s%d", n), versionsConfiguration(b.registry(), b.image, n))
		if err != nil {
			return err
		}
		floor, err := b.applied(ctx, fmt.Sprintf("w%d", n), wideFloorConfiguration(b.image, n))
		if err != nil {
			return err
		}
		c, err := b.compare(ctx, ours.plan, floor.plan)
		if err != nil {
			return err
		}
		b.report.compare(fmt.Sprintf("%d unchanged", n), c, "")
	}
	return nil
}

// applied is a project whose configuration is applied, once in a run.
func (b *bench) applied(ctx context.Context, name, configuration string) (project, error) {
	if p, done := b.done[name]; done {
		return p, nil
	}
	p, err := b.project(ctx, name, configuration)
	if err != nil {
		return p, err
	}
	if _, err := p.run(ctx, "apply", "-auto-approve"); err != nil {
		return p, err
	}
	if _, err := p.run(ctx, "apply", "-auto-approve", "-refresh-only"); err != nil { // it notes what only a refresh does
		return p, err
	}
	b.done[name] = p
	return p, nil
}

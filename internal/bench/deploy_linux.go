package main

import (
	"context"
	"fmt"
	"os"
	"runtime/pprof"

	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/stats"
)

// deploys is workload W1.
func (b *bench) deploys(ctx context.Context) error {
	b.columns("bare")
	for _, n := range b.scales {
		c, err := b.againstBare(ctx, n, false)
		if err != nil {
			return err
		}
		b.report.compare(fmt.Sprintf("%d components", n), c, "<= 1.15")
	}
	return nil
}

// first is workload W5.
func (b *bench) first(ctx context.Context) error {
	b.columns("bare")
	one, err := b.againstBare(ctx, 1, false)
	if err != nil {
		return err
	}
	b.report.compare("first healthy instance", one, "<= 600 ms")
	chain, err := b.againstBare(ctx, 5, true)
	if err != nil {
		return err
	}
	b.report.compare("chain of five", chain, "<= 1.10")
	return nil
}

// againstBare compares a deployment of n components with as many bare processes.
func (b *bench) againstBare(ctx context.Context, n int, chain bool) (stats.Comparison, error) {
	w, err := b.open(ctx)
	if err != nil {
		return stats.Comparison{}, err
	}
	name := fmt.Sprintf("n%d", n)
	if chain {
		name += "-chain"
	}
	v, err := w.version(ctx, name, b.components(n, chain))
	if err != nil {
		return stats.Comparison{}, err
	}
	anchor, err := b.bareSide(ctx, n, chain)
	if err != nil {
		return stats.Comparison{}, err
	}
	ours := func(ctx context.Context) (stats.Cost, error) { return w.deploy(ctx, v.Ref, name) }
	for _, s := range []side{ours, anchor} { // the first time of anything does not count
		if _, err := s(ctx); err != nil {
			return stats.Comparison{}, err
		}
	}
	profiled, err := b.profiled(name)
	if err != nil {
		return stats.Comparison{}, err
	}
	defer profiled()
	return b.compare(ctx, ours, anchor)
}

// profiled writes what this process does until the answer is called.
func (b *bench) profiled(name string) (stop func(), err error) {
	if b.profile == "" {
		return func() {}, nil
	}
	f, err := os.Create(b.profile + "." + name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}

package main

import (
	"context"
	"os"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/meter"
	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/stats"
)

// side does its work once and tells what it cost.
type side func(ctx context.Context) (stats.Cost, error)

// compare measures both sides in turn.
func (b *bench) compare(ctx context.Context, ours, anchor side) (stats.Comparison, error) {
	var rounds []stats.Pair
	for range b.rounds {
		var p stats.Pair
		var err error
		if p.Ours, err = ours(ctx); err != nil {
			return stats.Comparison{}, err
		}
		if p.Anchor, err = anchor(ctx); err != nil {
			return stats.Comparison{}, err
		}
		rounds = append(rounds, p)
	}
	return stats.Compare(rounds), nil
}

// cost measures work of this process and of those that it starts: the processor
// time counts until the work is done, also that of processes which live on.
func cost(work func() error) (stats.Cost, error) {
	before, err := meter.CPU(os.Getpid())
	if err != nil {
		return stats.Cost{}, err
	}
	began := time.Now()
	if err := work(); err != nil {
		return stats.Cost{}, err
	}
	wall := time.Since(began)
	after, err := meter.CPU(os.Getpid())
	return stats.Cost{Wall: wall, CPU: after - before}, err
}

package main

import (
	"context"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
)

// stopwatch takes the time from when an instance was started until the verdict.
type stopwatch struct {
	core.Journal
	took *atomic.Int64
}

func (s *stopwatch) wrap(next core.Journal) core.Journal {
	if s.took == nil {
		s.took = &atomic.Int64{}
	}
	return stopwatch{Journal: next, took: s.took}
}

// Begin implements core.Journal.
func (s stopwatch) Begin(ctx context.Context, step rollout.Step) (func(error), error) {
	end, err := s.Journal.Begin(ctx, step)
	if err != nil || step.Name != "prove" {
		return end, err
	}
	began := time.Now()
	return func(failed error) {
		s.took.Store(int64(time.Since(began)))
		end(failed)
	}, nil
}

func (s *stopwatch) last() time.Duration { return time.Duration(s.took.Load()) }

// deadly ends this process with SIGKILL when a step is about to begin.
type deadly struct {
	core.Journal
	steps *atomic.Int32 // that may still begin
}

// Begin implements core.Journal.
func (d deadly) Begin(ctx context.Context, step rollout.Step) (func(error), error) {
	if d.steps.Add(-1) < 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // it comes at once
	}
	return d.Journal.Begin(ctx, step)
}

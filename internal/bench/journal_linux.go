package main

import (
	"context"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
)

// stopwatch takes the time from when an instance was started until the verdict, and
// from the verdict until it was given its place.
type stopwatch struct {
	core.Journal
	times *times
}

// times are of the last operation; instances are proven side by side.
type times struct {
	mu             sync.Mutex
	proof          time.Duration // of the last instance
	stable         time.Time     // the last instance was found healthy, and stayed so
	proven, placed time.Time     // it was proven for the last time, and then its component was given its place
}

func (s *stopwatch) wrap(next core.Journal) core.Journal {
	if s.times == nil {
		s.times = &times{}
	}
	return stopwatch{Journal: next, times: s.times}
}

// Begin implements core.Journal.
func (s stopwatch) Begin(ctx context.Context, step rollout.Step) (func(error), error) {
	end, err := s.Journal.Begin(ctx, step)
	if err != nil || !slices.Contains([]string{"prove", "confirm", "route"}, step.Name) {
		return end, err
	}
	began := time.Now()
	return func(failed error) {
		s.times.note(step.Name, began)
		end(failed)
	}, nil
}

func (t *times) note(step string, began time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	switch {
	case step == "prove":
		t.proof, t.stable, t.proven = now.Sub(began), now, now
	case step == "confirm":
		t.proven = now
	case t.placed.Before(t.proven): // what comes after the switch takes the old ones away
		t.placed = now
	}
}

// last is how long it took to prove the last instance.
func (s *stopwatch) last() time.Duration {
	s.times.mu.Lock()
	defer s.times.mu.Unlock()
	return s.times.proof
}

// passage is how new instances came to their visitors: found healthy and stable,
// given their name in the deployment and proven once more, and visited.
type passage struct {
	stable         time.Time
	named, visited time.Duration // each since what was before it
}

func (s *stopwatch) passage() passage {
	s.times.mu.Lock()
	defer s.times.mu.Unlock()
	t := s.times
	return passage{stable: t.stable, named: t.proven.Sub(t.stable), visited: t.placed.Sub(t.proven)}
}

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

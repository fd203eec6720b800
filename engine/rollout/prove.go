package rollout

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// prove waits until the instance passed every check and stayed healthy; the
// progress deadline bounds it.
func (r *run) prove(ctx context.Context, key node.Key, component string, healthy func()) error {
	return r.pass(ctx, "prove", key, component, r.in.Strategy.MinHealthyTime, healthy)
}

// confirm checks an instance that was proven once more.
func (r *run) confirm(ctx context.Context, key node.Key, component string) error {
	return r.pass(ctx, "confirm", key, component, 0, nil)
}

func (r *run) pass(ctx context.Context, step string, key node.Key, component string, stays time.Duration, healthy func()) error {
	gate := health.Gate{Clock: r.Clock, MinHealthy: stays}
	return r.step(ctx, Step{Name: step, Component: component, Detail: key.Name}, engine.PhaseCheck, func() error {
		deadline, cancel := health.WithTimeout(ctx, r.Clock, r.in.Strategy.ProgressDeadline)
		defer cancel()
		if err := gate.Wait(deadline, r.gateInput(key, component, healthy)); err != nil {
			return &instanceError{key: key, err: err}
		}
		return nil
	})
}

func (r *run) gateInput(key node.Key, component string, healthy func()) health.GateInput {
	c := r.in.Target.Components[component].Component
	return health.GateInput{
		Target:       target{driver: r.Driver, key: key},
		Checks:       r.checks[component],
		Ports:        c.Ports,
		Alive:        func(ctx context.Context) (health.Liveness, error) { return liveness(ctx, r.Driver, key) },
		Events:       r.events.of(key.Name),
		Healthy:      healthy,
		RestartNever: endsByItself(c),
		MustEnd:      c.Restart == catalog.RestartNever && len(r.checks[component]) == 0,

		ProgressDeadline: r.in.Strategy.ProgressDeadline,
	}
}

func liveness(ctx context.Context, d node.Driver, key node.Key) (health.Liveness, error) {
	i, err := d.Inspect(ctx, key)
	if err != nil {
		return health.Liveness{}, err
	}
	now := health.Liveness{
		Running: i.State == node.Running, Restarts: i.Restarts,
		ExitCode: i.ExitCode, OOMKilled: i.OOMKilled, Error: i.Error,
	}
	if i.State == node.Lost {
		now.Error = "its supervisor is gone"
	}
	return now, nil
}

// target lets probes reach one instance through the node.
type target struct {
	driver node.Driver
	key    node.Key
}

func (t target) Dial(ctx context.Context, network string, port int) (net.Conn, error) {
	return t.driver.Dial(ctx, t.key, network, port)
}

func (t target) Exec(ctx context.Context, command []string) (int, string, error) {
	result, err := t.driver.Exec(ctx, t.key, command)
	return result.ExitCode, result.Output, err
}

// events spreads what a driver tells to those who wait for one instance each.
// It only wakes them up: they look for themselves.
type events struct {
	driver     node.Driver
	deployment string
	cancel     context.CancelFunc
	done       chan struct{}

	mu      sync.Mutex
	waiters map[string]chan struct{}
}

func newEvents(d node.Driver, deployment string) *events {
	return &events{driver: d, deployment: deployment, waiters: map[string]chan struct{}{}}
}

func (e *events) open(ctx context.Context) error {
	ctx, e.cancel = context.WithCancel(ctx)
	stream, err := e.driver.Watch(ctx, e.deployment)
	if err != nil {
		return err
	}
	e.done = make(chan struct{})
	go func() {
		defer close(e.done)
		for event := range stream {
			e.wake(event.Key.Name)
		}
	}()
	return nil
}

// of answers the channel that is written to when something happens to the instance.
func (e *events) of(name string) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.waiters[name] == nil {
		e.waiters[name] = make(chan struct{}, 1)
	}
	return e.waiters[name]
}

func (e *events) wake(name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case e.waiters[name] <- struct{}{}:
	default:
	}
}

func (e *events) close() {
	if e.cancel != nil {
		e.cancel()
	}
	if e.done != nil {
		<-e.done
	}
}

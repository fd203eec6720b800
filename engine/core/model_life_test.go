package core_test

import (
	"context"
	"fmt"
	"net"
	"sync"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
)

// Moments at which an engine can die, each counted from the first of its kind.
const (
	beforeStep   = "before a step is journaled"
	beforeDoing  = "before a journaled step is done"
	beforeEnding = "before the end of a step is journaled"
	beforeCall   = "before a call of its node"
	afterCall    = "after a call of its node"
)

var moments = []string{beforeStep, beforeDoing, beforeEnding, beforeCall, afterCall}

// fate is what happens to an engine, or to a node under it: nothing, when zero.
type fate struct {
	dies  string // one of the moments
	fails string // a method of the node's driver
	at    int    // which time
	times int    // how often it fails then
	away  bool   // because the node does not answer
}

func (f fate) String() string {
	switch {
	case f.dies != "":
		return fmt.Sprintf("dies %s (%d)", f.dies, f.at)
	case f.fails != "":
		return fmt.Sprintf("%s fails %d times from time %d, away %v", f.fails, f.times, f.at, f.away)
	}
	return ""
}

// life is that of one engine: once it is dead neither its store nor its nodes
// do anything for it, as for a process that is no more.
type life struct {
	mu   sync.Mutex
	fate fate
	seen int
	dead bool
	die  func()
}

// pass is a moment that goes by; an error says that the engine is dead.
func (l *life) pass(moment string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.dead && l.fate.dies == moment {
		if l.seen++; l.seen == l.fate.at {
			l.die() // first the store, so that nobody tells it of the death
			l.dead = true
		}
	}
	if l.dead {
		return errKilled
	}
	return nil
}

func (l *life) isDead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

// meet has a new fate waiting for the engine.
func (l *life) meet(f fate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fate, l.seen = f, 0
}

// fault is how a call of the node fails, nil when it does not.
func (l *life) fault(method string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fate.fails != method {
		return nil
	}
	if l.seen++; l.seen < l.fate.at || l.seen >= l.fate.at+l.fate.times {
		return nil
	}
	if l.fate.away {
		return &engine.Error{Class: engine.ErrUnavailable, Reason: "the node does not answer"}
	}
	return fmt.Errorf("%s: the disk is full", method)
}

func (l *life) call(method string, do func() error) error {
	if err := l.pass(beforeCall); err != nil {
		return err
	}
	if err := l.fault(method); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return l.pass(afterCall)
}

// mortalJournal is the journal of an engine that may die.
type mortalJournal struct {
	*life
	next core.Journal
}

func (j mortalJournal) Begin(ctx context.Context, s rollout.Step) (func(error), error) {
	if err := j.pass(beforeStep); err != nil {
		return nil, err
	}
	end, err := j.next.Begin(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := j.pass(beforeDoing); err != nil {
		return nil, err
	}
	return func(failed error) {
		if j.pass(beforeEnding) == nil {
			end(failed)
		}
	}, nil
}

// mortalDriver is the driver of an engine that may die.
type mortalDriver struct {
	node.Driver
	*life
}

func (d mortalDriver) Observe(ctx context.Context, deployment string) (seen node.Observation, err error) {
	err = d.call("observe", func() (err error) { seen, err = d.Driver.Observe(ctx, deployment); return err })
	return seen, err
}

func (d mortalDriver) Pull(ctx context.Context, i node.Image) error {
	return d.call("pull", func() error { return d.Driver.Pull(ctx, i) })
}

func (d mortalDriver) Prune(ctx context.Context, keep []string) error {
	return d.call("prune", func() error { return d.Driver.Prune(ctx, keep) })
}

func (d mortalDriver) Preflight(ctx context.Context, deployment string, specs []node.Spec) error {
	return d.call("preflight", func() error { return d.Driver.Preflight(ctx, deployment, specs) })
}

func (d mortalDriver) Create(ctx context.Context, s node.Spec) error {
	return d.call("create", func() error { return d.Driver.Create(ctx, s) })
}

func (d mortalDriver) Start(ctx context.Context, k node.Key, s node.Secrets) error {
	return d.call("start", func() error { return d.Driver.Start(ctx, k, s) })
}

func (d mortalDriver) Stop(ctx context.Context, k node.Key) error {
	return d.call("stop", func() error { return d.Driver.Stop(ctx, k) })
}

func (d mortalDriver) Remove(ctx context.Context, k node.Key) error {
	return d.call("remove", func() error { return d.Driver.Remove(ctx, k) })
}

func (d mortalDriver) Drain(ctx context.Context, k node.Key) error {
	return d.call("drain", func() error { return d.Driver.Drain(ctx, k) })
}

func (d mortalDriver) Route(ctx context.Context, deployment string, routes []node.Route) (at map[string]engine.Endpoint, err error) {
	err = d.call("route", func() (err error) { at, err = d.Driver.Route(ctx, deployment, routes); return err })
	return at, err
}

func (d mortalDriver) RemoveDeployment(ctx context.Context, deployment string, volumes []string) error {
	return d.call("remove-deployment", func() error { return d.Driver.RemoveDeployment(ctx, deployment, volumes) })
}

func (d mortalDriver) Dial(ctx context.Context, k node.Key, network string, port int) (c net.Conn, err error) {
	err = d.call("dial", func() (err error) { c, err = d.Driver.Dial(ctx, k, network, port); return err })
	if err != nil && c != nil { // it died with the connection open
		_ = c.Close()
		return nil, err
	}
	return c, err
}

// struck reports whether the fault has happened.
func (l *life) struck() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fate.fails != "" && l.seen >= l.fate.at
}

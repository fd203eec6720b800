package faults_test

import (
	"context"
	"net"
	"strings"
	"sync"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
)

// moment is when, of a step, something happens.
type moment int

const (
	before moment = iota
	during        // at the same time
	after
)

func (m moment) String() string { return [...]string{"before", "during", "after"}[m] }

// wire does something once, when a rollout first comes by a place.
type wire struct {
	step      string // pull, preflight, create, start, dial, route, stop, remove, commit
	component string // "" = any
	nth       int    // of those that pass by
	moment    moment
	act       func()

	mu      sync.Mutex
	passed  int
	reached bool
	ended   sync.WaitGroup
}

// run makes the step, and does what is to be done with it.
func (w *wire) run(step, component string, do func() error) error {
	if w == nil || !w.hits(step, component) {
		return do()
	}
	switch w.moment {
	case before:
		w.act()
		return do()
	case during:
		w.ended.Go(w.act)
		return do()
	default:
		err := do()
		w.act()
		return err
	}
}

func (w *wire) hits(step, component string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reached || step != w.step || w.component != "" && component != w.component {
		return false
	}
	w.passed++
	w.reached = w.passed == max(1, w.nth)
	return w.reached
}

// was reports whether it happened, once it has ended.
func (w *wire) was() bool {
	w.ended.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reached
}

// wired is a driver with a wire along its calls.
type wired struct {
	node.Driver
	wire func() *wire
}

func componentOf(key node.Key) string {
	component, _, _ := strings.Cut(key.Name, "-")
	return component
}

func (d wired) Preflight(ctx context.Context, deployment string, specs []node.Spec) error {
	return d.wire().run("preflight", "", func() error { return d.Driver.Preflight(ctx, deployment, specs) })
}

func (d wired) Pull(ctx context.Context, image node.Image) error {
	return d.wire().run("pull", "", func() error { return d.Driver.Pull(ctx, image) })
}

func (d wired) Create(ctx context.Context, spec node.Spec) error {
	return d.wire().run("create", spec.Labels.Component, func() error { return d.Driver.Create(ctx, spec) })
}

func (d wired) Start(ctx context.Context, key node.Key, secrets node.Secrets) error {
	return d.wire().run("start", componentOf(key), func() error { return d.Driver.Start(ctx, key, secrets) })
}

func (d wired) Stop(ctx context.Context, key node.Key) error {
	return d.wire().run("stop", componentOf(key), func() error { return d.Driver.Stop(ctx, key) })
}

func (d wired) Remove(ctx context.Context, key node.Key) error {
	return d.wire().run("remove", componentOf(key), func() error { return d.Driver.Remove(ctx, key) })
}

func (d wired) Route(ctx context.Context, deployment string, routes []node.Route) (endpoints map[string]engine.Endpoint, err error) {
	err = d.wire().run("route", "", func() (err error) {
		endpoints, err = d.Driver.Route(ctx, deployment, routes)
		return err
	})
	return endpoints, err
}

func (d wired) Dial(ctx context.Context, key node.Key, network string, port int) (conn net.Conn, err error) {
	err = d.wire().run("dial", componentOf(key), func() (err error) {
		conn, err = d.Driver.Dial(ctx, key, network, port)
		return err
	})
	return conn, err
}

// wiredJournal has the wire along the commit.
type wiredJournal struct {
	core.Journal
	wire func() *wire
}

func (j wiredJournal) Begin(ctx context.Context, s rollout.Step) (func(error), error) {
	end, err := j.Journal.Begin(ctx, s)
	if err == nil && s.Name == "commit" {
		_ = j.wire().run("commit", "", func() error { return nil })
	}
	return end, err
}

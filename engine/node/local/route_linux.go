package local

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/supervisor"
)

// Route implements node.Driver. Ports are bound here, in the engine's process: it
// may be allowed ports that the supervisor is not.
func (d *Driver) Route(ctx context.Context, deployment string, routes []node.Route) (map[string]engine.Endpoint, error) {
	s := d.sandbox(deployment)
	var published map[string]engine.Endpoint
	err := d.withLock(ctx, s, func() (err error) {
		published, err = d.route(ctx, s, routes)
		return err
	})
	return published, err
}

func (d *Driver) route(ctx context.Context, s state.Sandbox, routes []node.Route) (map[string]engine.Endpoint, error) {
	old, err := state.ReadRoutes(s)
	if err != nil {
		return nil, err
	}
	if !state.Alive(s) && !slices.ContainsFunc(routes, func(r node.Route) bool { return len(r.Instances) > 0 }) {
		return nil, d.rest(s, state.Routes{Table: routes, Endpoints: old.Endpoints})
	}
	if err := d.ensure(ctx, s); err != nil {
		return nil, err
	}
	held, _, err := control.Call(ctx, s.Socket(), control.Request{Op: control.OpStatus})
	if err != nil {
		return nil, err
	}
	b := &binder{held: held.Listeners, release: func(l control.Listener) error {
		_, _, err := control.Call(ctx, s.Socket(), control.Request{Op: control.OpRelease, Listeners: []control.Listener{l}})
		return err
	}}
	defer b.close()
	table, published, err := d.bindAll(b, old, routes)
	if err == nil {
		_, _, err = control.Call(ctx, s.Socket(), control.Request{Op: control.OpRoute, Routes: &table, Listeners: b.bound}, b.files...)
	}
	if err != nil {
		return nil, errors.Join(err, takeBack(ctx, s, old, b))
	}
	return published, nil
}

// bindAll binds every published port of the routes.
func (d *Driver) bindAll(b *binder, old state.Routes, routes []node.Route) (state.Routes, map[string]engine.Endpoint, error) {
	table := state.Routes{Table: routes, Endpoints: maps.Clone(old.Endpoints)}
	if table.Endpoints == nil {
		table.Endpoints = map[string]engine.Endpoint{}
	}
	published := map[string]engine.Endpoint{}
	for _, r := range routes {
		for name, port := range r.Ports {
			if !port.Published() {
				continue
			}
			key := r.Component + "/" + name
			l, err := b.bind(wanted(port, d.Address), old.Endpoints[key])
			if err != nil {
				return table, nil, engine.At(fmt.Sprintf("components.%s.ports.%s", r.Component, name), err)
			}
			table.Endpoints[key] = endpoint(l)
			published[key] = table.Endpoints[key]
		}
	}
	return table, published, nil
}

// takeBack binds again what was released for a table that did not come into force.
func takeBack(ctx context.Context, s state.Sandbox, old state.Routes, failed *binder) error {
	if len(failed.released) == 0 {
		return nil
	}
	failed.close()
	again := &binder{settling: true}
	defer again.close()
	for _, l := range failed.released {
		if _, err := again.bind(l, engine.Endpoint{}); err != nil {
			return fmt.Errorf("listening again where it was before: %w", err)
		}
	}
	_, _, err := control.Call(ctx, s.Socket(), control.Request{Op: control.OpRoute, Routes: &old, Listeners: again.bound}, again.files...)
	return err
}

// rest puts a table into force that leads nowhere, where nothing runs.
func (d *Driver) rest(s state.Sandbox, table state.Routes) error {
	if _, err := os.Stat(s.LabelFile()); err != nil {
		return nil //nolint:nilerr // no instance was ever made: there is nothing to remember
	}
	return state.WriteRoutes(s, table)
}

// wanted is where a port is to listen; port 0 lets the node choose.
func wanted(p engine.Port, address string) control.Listener {
	if p.HostAddress != "" {
		address = p.HostAddress
	}
	return control.Listener{Protocol: supervisor.Protocol(p), Address: address, Port: *p.HostPort}
}

func endpoint(l control.Listener) engine.Endpoint {
	scheme := "http"
	if l.Protocol == "udp" {
		scheme = "udp"
	}
	return engine.Endpoint{Address: l.Address, Port: l.Port, URL: scheme + "://" + hostPort(l)}
}

// Routes implements node.Driver.
func (d *Driver) Routes(_ context.Context, deployment string) ([]node.Route, map[string]engine.Endpoint, error) {
	table, err := state.ReadRoutes(d.sandbox(deployment))
	if err != nil {
		return nil, nil, err
	}
	published := map[string]engine.Endpoint{}
	for _, r := range table.Table {
		for name := range r.Ports {
			key := r.Component + "/" + name
			if e, ok := table.Endpoints[key]; ok {
				published[key] = e
			}
		}
	}
	return table.Table, published, nil
}

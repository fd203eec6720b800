package supervisor

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/network"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// traffic leads names and published ports to the instances of the table in force.
type traffic struct {
	s *Supervisor

	mu    sync.Mutex
	table state.Routes
	ports map[control.Listener]*network.Forwarder
}

func newTraffic(s *Supervisor) (*traffic, error) {
	table, err := state.ReadRoutes(s.place)
	return &traffic{s: s, table: table, ports: map[control.Listener]*network.Forwarder{}}, err
}

// set puts a new table in force, with the listeners it needs beside those that are held.
func (t *traffic) set(table state.Routes, listeners []control.Listener, files []*os.File) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(listeners) != len(files) {
		return fmt.Errorf("%d listeners came with %d files", len(listeners), len(files))
	}
	for n, l := range listeners {
		if t.ports[l] != nil {
			continue
		}
		f, err := t.forwarder(l, files[n])
		if err != nil {
			return err
		}
		t.ports[l] = f
	}
	if err := state.WriteRoutes(t.s.place, table); err != nil {
		return err
	}
	t.table = table
	t.apply()
	t.closeUnused()
	return nil
}

// release closes listeners that are in the way of others.
func (t *traffic) release(listeners []control.Listener) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range listeners {
		if f := t.ports[l]; f != nil {
			f.Close()
			delete(t.ports, l)
		}
	}
}

func (t *traffic) forwarder(l control.Listener, file *os.File) (*network.Forwarder, error) {
	if l.Protocol == "udp" {
		pc, err := net.FilePacketConn(file)
		if err != nil {
			return nil, err
		}
		return network.NewUDPForwarder(pc, t.s.network.Dial, 0), nil
	}
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, err
	}
	return network.NewTCPForwarder(listener, t.s.network.Dial), nil
}

// refresh follows instances that came, went or moved.
func (t *traffic) refresh() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.apply()
}

func (t *traffic) apply() {
	names := map[string][]netip.Addr{}
	for _, route := range t.table.Table {
		addresses := t.addresses(route)
		names[route.Component] = nil
		for _, a := range addresses {
			names[route.Component] = append(names[route.Component], a.Addr)
		}
		for name, port := range route.Ports {
			l, ok := listenerOf(t.table, route.Component, name, port)
			if !ok || t.ports[l] == nil {
				continue
			}
			t.ports[l].SetBackends(backends(addresses, port))
		}
	}
	t.s.network.SetNames(names)
}

type placed struct {
	instance string
	netip.Addr
}

func (t *traffic) addresses(route node.Route) []placed {
	var all []placed
	for _, name := range route.Instances {
		if i := t.s.address(name); i != nil {
			if a := i.address(); a.IsValid() {
				all = append(all, placed{name, a})
			}
		}
	}
	return all
}

func backends(addresses []placed, port engine.Port) []network.Backend {
	var all []network.Backend
	for _, a := range addresses {
		all = append(all, network.Backend{Instance: a.instance, Addr: netip.AddrPortFrom(a.Addr, uint16(port.ContainerPort)), Header: port.ProxyProtocol})
	}
	return all
}

func listenerOf(table state.Routes, component, name string, port engine.Port) (control.Listener, bool) {
	e, ok := table.Endpoints[component+"/"+name]
	return control.Listener{Protocol: Protocol(port), Address: e.Address, Port: e.Port}, ok
}

// Protocol of a port, tcp by default.
func Protocol(p engine.Port) string {
	if p.Protocol == "" {
		return "tcp"
	}
	return p.Protocol
}

func (t *traffic) closeUnused() {
	used := map[control.Listener]bool{}
	for _, route := range t.table.Table {
		for name, port := range route.Ports {
			if l, ok := listenerOf(t.table, route.Component, name, port); ok {
				used[l] = true
			}
		}
	}
	for l, f := range t.ports {
		if !used[l] {
			f.Close()
			delete(t.ports, l)
		}
	}
}

// forget takes a removed instance out of the table.
func (t *traffic) forget(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	changed := false
	table := state.Routes{Endpoints: t.table.Endpoints}
	for _, route := range t.table.Table {
		if n := slices.Index(route.Instances, name); n >= 0 {
			route.Instances = slices.Delete(slices.Clone(route.Instances), n, n+1)
			changed = true
		}
		table.Table = append(table.Table, route)
	}
	if !changed {
		return
	}
	t.table = table
	if err := state.WriteRoutes(t.s.place, table); err != nil {
		t.s.logf("%v", err)
	}
}

func (t *traffic) listeners() []control.Listener {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []control.Listener
	for l := range t.ports {
		all = append(all, l)
	}
	return all
}

// routed reports whether the instance takes traffic.
func (t *traffic) routed(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.table.Table, func(r node.Route) bool { return slices.Contains(r.Instances, name) })
}

// drain waits until no connection is open to the instance, also of guests.
func (t *traffic) drain(ctx context.Context, name string) error {
	t.mu.Lock()
	var all []*network.Forwarder
	for _, f := range t.ports {
		all = append(all, f)
	}
	t.mu.Unlock()
	for _, f := range append(all, t.s.doors.forwarders()...) {
		if err := f.Wait(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (t *traffic) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for l, f := range t.ports {
		f.Close()
		delete(t.ports, l)
	}
}

package rollout

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// table is the deployment's traffic table. Components change their line one at
// a time; the driver always gets the whole.
type table struct {
	driver     node.Driver
	deployment string

	mu     sync.Mutex
	loaded bool
	before []node.Route // as it was found
	routes map[string]node.Route
}

func newTable(d node.Driver, deployment string) *table {
	return &table{driver: d, deployment: deployment, routes: map[string]node.Route{}}
}

// load reads the table in force.
func (t *table) load(ctx context.Context) error {
	found, _, err := t.driver.Routes(ctx, t.deployment)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.before, t.loaded = found, true
	for _, r := range found {
		t.routes[r.Component] = r
	}
	return nil
}

// is reports whether the component's traffic goes to the instances already.
func (t *table) is(component string, ports map[string]engine.Port, instances []string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was, ok := t.routes[component]
	return ok && sameRoute(was, node.Route{Ports: ports, Instances: instances})
}

// set gives a component's traffic to the instances.
func (t *table) set(ctx context.Context, component string, ports map[string]engine.Port, instances []string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	want := node.Route{Component: component, Ports: ports, Instances: slices.Clone(instances)}
	if was, ok := t.routes[component]; ok && sameRoute(was, want) {
		return nil
	}
	old, had := t.routes[component]
	t.routes[component] = want
	if err := t.apply(ctx); err != nil {
		if delete(t.routes, component); had {
			t.routes[component] = old
		}
		return err
	}
	return nil
}

// settle drops the lines of components that are gone.
func (t *table) settle(ctx context.Context, components map[string]catalog.Effective) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	dropped := false
	for name := range t.routes {
		if _, stays := components[name]; !stays {
			delete(t.routes, name)
			dropped = true
		}
	}
	if !dropped {
		return nil
	}
	return t.apply(ctx)
}

// reset puts the table back as it was found, if anybody looked.
func (t *table) reset(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.loaded {
		return nil
	}
	t.routes = map[string]node.Route{}
	for _, r := range t.before {
		t.routes[r.Component] = r
	}
	return t.apply(ctx)
}

func (t *table) apply(ctx context.Context) error {
	all := make([]node.Route, 0, len(t.routes))
	for _, r := range t.routes {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b node.Route) int { return strings.Compare(a.Component, b.Component) })
	_, err := t.driver.Route(ctx, t.deployment, all)
	return err
}

func sameRoute(a, b node.Route) bool {
	if !slices.Equal(a.Instances, b.Instances) || len(a.Ports) != len(b.Ports) {
		return false
	}
	for name, p := range a.Ports {
		q, ok := b.Ports[name]
		if !ok || p.ContainerPort != q.ContainerPort || p.Protocol != q.Protocol || p.HostAddress != q.HostAddress {
			return false
		}
		if (p.HostPort == nil) != (q.HostPort == nil) || p.HostPort != nil && *p.HostPort != *q.HostPort {
			return false
		}
	}
	return true
}

package rollout

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Proxy is the node's ingress as far as one deployment goes.
type Proxy interface {
	// Ways tells where the deployment's routes were led last, ordered by component.
	Ways(ctx context.Context) ([]Way, error)

	// Lead puts the deployment's ways into force, all at once; no request is lost
	// by it. What is not among them cannot be reached any more. It may be called
	// again with the same, which mends a proxy that forgot them.
	Lead(ctx context.Context, ways []Way) error

	// Certify gets the certificates of the component's routes that have none yet,
	// before anybody is sent there, and waits for them until ctx ends.
	Certify(ctx context.Context, component string, routes map[string]engine.Route) error

	// Reach proves that the proxy gets an answer of the instance by the route,
	// before anybody is sent there.
	Reach(ctx context.Context, instance string, route engine.Route) error

	// Answers proves that a visitor of the route in force gets an answer of the component.
	Answers(ctx context.Context, component, route string) error

	// Measure tells what the proxy counted since the canary of the component began.
	Measure(ctx context.Context, component string) (Sample, error)

	// Drain waits until nothing that came by the proxy is under way in the
	// instance, to which no way leads any more, or until ctx ends; that is no error.
	Drain(ctx context.Context, instance string) error
}

// Way leads the routes of one component to instances of it.
type Way struct {
	Component string                  `json:"component"`
	Routes    map[string]engine.Route `json:"routes"`
	Instances []string                `json:"instances"`        // names, in order; none: visitors are told to come back
	Canary    []string                `json:"canary,omitempty"` // names of those that only get a share
	Share     int                     `json:"share,omitempty"`  // percent that the canary gets
	// CanaryPorts are the container ports of the routes in the canary's instances,
	// by route; routes that are not in it do not lead there.
	CanaryPorts map[string]int `json:"canary_ports,omitempty"`

	Secrets map[string]string `json:"-"` // that the routes name
}

// WaysTo leads the routes of a revision to the instances that serve it, by
// component; see Servers.
func WaysTo(t Target, instances map[string][]string) []Way {
	var ways []Way
	for _, name := range slices.Sorted(maps.Keys(t.Components)) {
		if w := t.way(name, instances[name]); w != nil {
			ways = append(ways, *w)
		}
	}
	return ways
}

// way leads the routes of a component to instances, nil when it has none.
func (t Target) way(component string, instances []string) *Way {
	routes := t.Components[component].Component.Routes
	if len(routes) == 0 {
		return nil
	}
	return &Way{Component: component, Routes: routes, Instances: slices.Clone(instances), Secrets: t.RouteSecrets[component]}
}

func sameWay(a, b *Way) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(a.Instances, b.Instances) && slices.Equal(a.Canary, b.Canary) && a.Share == b.Share &&
		reflect.DeepEqual(a.Routes, b.Routes) && maps.Equal(a.Secrets, b.Secrets)
}

// visit proves that visitors of the routes get an answer of the component.
func (r *run) visit(ctx context.Context, way *Way) error {
	if r.Proxy == nil || way == nil || len(way.Instances) == 0 {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(way.Routes)) {
		err := r.step(ctx, Step{Name: "visit", Component: way.Component, Detail: "route " + name}, engine.PhaseSwitch,
			func() error { return ofRoute(name, r.Proxy.Answers(ctx, way.Component, name)) })
		if err != nil {
			return err
		}
	}
	return nil
}

// settleWays leads the routes to the servers, where there are or were any.
func (r *Runner) settleWays(ctx context.Context, in SettleInput, servers map[string][]string) error {
	if r.Proxy == nil {
		return nil
	}
	found, err := r.Proxy.Ways(ctx)
	if err != nil {
		return err
	}
	wanted := WaysTo(in.Serving, servers)
	if len(found) == 0 && len(wanted) == 0 {
		return nil
	}
	return r.journal(ctx, Step{Name: "route", Detail: "ingress back"}, func() error { return r.Proxy.Lead(ctx, wanted) })
}

// leadNowhere takes all routes of the deployment out of the proxy.
func (r *Runner) leadNowhere(ctx context.Context) error {
	if r.Proxy == nil {
		return nil
	}
	found, err := r.Proxy.Ways(ctx)
	if err != nil || len(found) == 0 {
		return err
	}
	return r.Proxy.Lead(ctx, nil)
}

// drainInstance waits until nothing is under way in an instance any more.
func (r *run) drainInstance(ctx context.Context, key node.Key) error {
	if r.Proxy != nil {
		if err := r.Proxy.Drain(ctx, key.Name); err != nil {
			return err
		}
	}
	return r.Driver.Drain(ctx, key)
}

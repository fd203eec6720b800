package rollout

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// table is the deployment's traffic: what the node's own table and its ingress
// lead to each component. Components change their line one at a time; node and
// ingress always get the whole.
type table struct {
	driver     node.Driver
	proxy      Proxy // nil = the node has no ingress
	deployment string

	mu     sync.Mutex
	loaded bool
	before map[string]line // as it was found
	lines  map[string]line
	led    map[string]bool // instances that the ingress was told to lead to since
	unsure bool            // it failed then: it may know what is not among the lines
}

// line is the traffic of one component.
type line struct {
	route node.Route
	way   *Way // nil: no route leads there
}

func newTable(d node.Driver, p Proxy, deployment string) *table {
	return &table{driver: d, proxy: p, deployment: deployment, lines: map[string]line{}, led: map[string]bool{}}
}

// load reads the traffic in force.
func (t *table) load(ctx context.Context) error {
	found, _, err := t.driver.Routes(ctx, t.deployment)
	if err != nil {
		return err
	}
	var ways []Way
	if t.proxy != nil {
		if ways, err = t.proxy.Ways(ctx); err != nil {
			return err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range found {
		t.lines[r.Component] = line{route: r}
	}
	for _, w := range ways {
		l := t.lines[w.Component]
		l.route.Component, l.way = w.Component, &w
		t.lines[w.Component] = l
	}
	t.before, t.loaded = maps.Clone(t.lines), true
	return nil
}

// is reports whether the component's traffic is that already.
func (t *table) is(want line) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was, ok := t.lines[want.route.Component]
	return ok && sameRoute(was.route, want.route) && sameWay(was.way, want.way)
}

// line is the traffic of a component as it is now.
func (t *table) line(component string) line {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lines[component]
	l.route.Component = component
	return l
}

// way is where the routes of a component lead now.
func (t *table) way(component string) *Way { return t.line(component).way }

// served reports whether the instance had traffic when the table was loaded.
func (t *table) served(component, instance string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Contains(t.before[component].route.Instances, instance)
}

// visited reports whether the instance may have visitors of this run.
func (t *table) visited(instance string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.led[instance]
}

// set gives components their traffic, all at once.
func (t *table) set(ctx context.Context, wanted ...line) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := maps.Clone(t.lines)
	for _, l := range wanted {
		t.lines[l.route.Component] = l
		if l.way != nil {
			for _, instance := range l.way.Instances {
				t.led[instance] = true
			}
		}
	}
	if err := t.apply(ctx, was); err != nil {
		t.lines = was
		return err
	}
	return nil
}

// settle drops the lines of components that are gone.
func (t *table) settle(ctx context.Context, components map[string]catalog.Effective) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := maps.Clone(t.lines)
	maps.DeleteFunc(t.lines, func(name string, _ line) bool { _, stays := components[name]; return !stays })
	if len(t.lines) == len(was) {
		return nil
	}
	return t.apply(ctx, was)
}

// reset puts the traffic back as it was found, if anybody looked.
func (t *table) reset(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.loaded {
		return nil
	}
	was := t.lines
	t.lines = maps.Clone(t.before)
	return t.apply(ctx, was)
}

// again tells the node its table once more.
func (t *table) again(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.applyRoutes(ctx, t.lines)
}

// apply puts the lines into force. An instance that the ingress leads to gets its
// name in the deployment before, and one that it leaves loses it after: on some
// nodes an instance cannot be reached for a moment while its name changes.
func (t *table) apply(ctx context.Context, was map[string]line) error {
	if t.sameWays(was) {
		return t.applyRoutes(ctx, t.lines)
	}
	if both := union(was, t.lines); !maps.EqualFunc(was, both, sameLine) {
		if err := t.applyRoutes(ctx, both); err != nil {
			return err
		}
	}
	t.unsure = true
	if err := t.proxy.Lead(ctx, t.ways()); err != nil {
		return err
	}
	t.unsure = false
	return t.applyRoutes(ctx, t.lines)
}

// sameWays reports whether the ingress has nothing to do.
func (t *table) sameWays(was map[string]line) bool {
	if t.proxy == nil || t.unsure {
		return t.proxy == nil
	}
	return len(waysOf(was)) == 0 && len(waysOf(t.lines)) == 0 ||
		maps.EqualFunc(was, t.lines, func(a, b line) bool { return sameWay(a.way, b.way) })
}

func (t *table) ways() []Way { return waysOf(t.lines) }

func waysOf(lines map[string]line) []Way {
	var all []Way
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		if w := lines[name].way; w != nil {
			all = append(all, *w)
		}
	}
	return all
}

// union leads every component to the instances of both tables.
func union(a, b map[string]line) map[string]line {
	both := maps.Clone(b)
	for name, l := range a {
		to := both[name]
		instances := slices.Clone(to.route.Instances)
		for _, i := range l.route.Instances {
			if !slices.Contains(instances, i) {
				instances = append(instances, i)
			}
		}
		if len(to.route.Instances) == 0 {
			to.route = l.route
		}
		to.route.Instances = instances
		both[name] = to
	}
	return both
}

func (t *table) applyRoutes(ctx context.Context, lines map[string]line) error {
	all := make([]node.Route, 0, len(lines))
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		all = append(all, lines[name].route)
	}
	_, err := t.driver.Route(ctx, t.deployment, all)
	return err
}

// sameLine reports whether the node has nothing to do.
func sameLine(a, b line) bool { return sameRoute(a.route, b.route) }

func sameRoute(a, b node.Route) bool {
	if !slices.Equal(a.Instances, b.Instances) || len(a.Ports) != len(b.Ports) {
		return false
	}
	for name, p := range a.Ports {
		q, ok := b.Ports[name]
		if !ok || !samePort(p, q) {
			return false
		}
	}
	return true
}

func samePort(p, q engine.Port) bool {
	if p.ContainerPort != q.ContainerPort || p.Protocol != q.Protocol || p.HostAddress != q.HostAddress || p.ProxyProtocol != q.ProxyProtocol {
		return false
	}
	return (p.HostPort == nil) == (q.HostPort == nil) && (p.HostPort == nil || *p.HostPort == *q.HostPort)
}

package core

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/ingress"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
)

// ways is a node's ingress as far as one deployment goes: it implements
// rollout.Proxy over the store, the node and the proxy.
type ways struct {
	*Engine
	node       engine.Node
	driver     node.Driver
	deployment string
	measured   bool // its strategy asks what its new instances answer

	mu    sync.Mutex
	known []proxy                       // the node's proxies, once they were looked for
	led   map[string][]ingress.Upstream // by instance, all that were led to
	open  map[string]string             // addresses by instance:port, of those that were opened in this operation

	writing sync.Mutex                         // of the part
	coming  map[string]map[string]engine.Route // routes that wait for certificates, by component
}

var _ rollout.Proxy = (*ways)(nil)

// waysOf answers what leads a deployment's routes, nil where its node has no ingress.
func (e *Engine) waysOf(n engine.Node, d node.Driver, deployment engine.Deployment) rollout.Proxy {
	if n.Ingress == nil {
		return nil
	}
	return &ways{
		open: map[string]string{}, led: map[string][]ingress.Upstream{}, coming: map[string]map[string]engine.Route{}, Engine: e,
		node: n, driver: d, deployment: deployment.ID, measured: deployment.Strategy.Type == engine.StrategyCanary,
	}
}

// proxies looks for them once; a push that fails looks again.
func (w *ways) proxies(ctx context.Context) (_ []proxy, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.known == nil {
		w.known, err = w.Engine.proxies(ctx, w.node, w.driver)
	}
	return w.known, err
}

// Ways implements rollout.Proxy.
func (w *ways) Ways(ctx context.Context) ([]rollout.Way, error) {
	p, err := w.readPart(ctx, w.node.ID, w.deployment)
	if err != nil {
		return nil, err
	}
	w.remember(p)
	secrets, err := w.openRouteSecrets(p.Secrets)
	for i := range p.Ways {
		p.Ways[i].Secrets = secrets[p.Ways[i].Component]
	}
	return p.Ways, err
}

// Lead implements rollout.Proxy. The store is written first: whoever builds the
// proxy's configuration meanwhile has it already.
func (w *ways) Lead(ctx context.Context, all []rollout.Way) error {
	if err := w.write(ctx, all); err != nil {
		return err
	}
	return w.push(ctx)
}

// push puts what the store says into force, also where other proxies run than a
// moment ago.
func (w *ways) push(ctx context.Context) error {
	to, err := w.proxies(ctx)
	if err != nil {
		return err
	}
	if err = w.pushIngress(ctx, w.node, to); err != nil {
		w.mu.Lock()
		w.known = nil
		clear(w.open)
		w.mu.Unlock()
		if to, err = w.proxies(ctx); err == nil {
			err = w.pushIngress(ctx, w.node, to)
		}
	}
	return err
}

func (w *ways) write(ctx context.Context, all []rollout.Way) (err error) {
	before, err := w.readPart(ctx, w.node.ID, w.deployment)
	if err != nil {
		return err
	}
	p := part{Ways: all, Measured: w.measured, Leaving: before.Measured && !w.measured}
	if p.Addresses, err = w.admit(ctx, doorsOf(all)); err != nil {
		return err
	}
	w.remember(p)
	if p.Secrets, err = w.sealRouteSecrets(all); err != nil {
		return err
	}
	w.writing.Lock()
	defer w.writing.Unlock()
	return w.put(ctx, p)
}

// put writes the part with what is coming now.
func (w *ways) put(ctx context.Context, p part) error {
	if p.Coming = w.coming; len(p.Ways) == 0 && len(p.Coming) == 0 {
		return w.store.DeleteIngressPart(ctx, w.deployment)
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return w.store.PutIngressPart(ctx, w.deployment, text)
}

// admit opens doors, and tells their addresses by name. What was opened before in
// this operation stays so.
func (w *ways) admit(ctx context.Context, doors []node.Door) (map[string]string, error) {
	addresses := map[string]string{}
	var closed []node.Door
	w.mu.Lock()
	for _, d := range doors {
		if address, open := w.open[doorName(d)]; open {
			addresses[doorName(d)] = address
		} else {
			closed = append(closed, d)
		}
	}
	w.mu.Unlock()
	if len(closed) == 0 {
		return addresses, nil
	}
	opened, err := w.driver.Admit(ctx, engine.IngressID(w.node.ID), w.deployment, closed)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, d := range closed {
		addresses[doorName(d)], w.open[doorName(d)] = opened[i], opened[i]
	}
	return addresses, nil
}

// Reach implements rollout.Proxy.
func (w *ways) Reach(ctx context.Context, instance string, route engine.Route) error {
	to, err := w.proxies(ctx)
	if err != nil {
		return err
	}
	door := node.Door{Instance: instance, Port: route.Port}
	addresses, err := w.admit(ctx, []node.Door{door})
	if err != nil {
		return err
	}
	return ask(to, func(c *ingress.Client) error {
		return c.Via(ctx, ingress.Site{Deployment: w.deployment, Route: route}, addresses[doorName(door)])
	})
}

// Answers implements rollout.Proxy.
func (w *ways) Answers(ctx context.Context, component, route string) error {
	site, to, err := w.site(ctx, component, route)
	if err != nil {
		return err
	}
	return ask(to, func(c *ingress.Client) error { return c.Answers(ctx, site) })
}

func (w *ways) site(ctx context.Context, component, route string) (ingress.Site, []proxy, error) {
	p, err := w.readPart(ctx, w.node.ID, w.deployment)
	if err != nil {
		return ingress.Site{}, nil, err
	}
	to, err := w.proxies(ctx)
	for _, s := range p.sites(w.deployment) {
		if s.Component == component && s.Name == route {
			return s, to, err
		}
	}
	return ingress.Site{}, nil, engine.NotFound("route", component+"/"+route)
}

// Measure implements rollout.Proxy: the sum over the component's routes.
func (w *ways) Measure(ctx context.Context, component string) (total rollout.Sample, err error) {
	p, err := w.readPart(ctx, w.node.ID, w.deployment)
	if err != nil {
		return total, err
	}
	to, err := w.proxies(ctx)
	if err != nil {
		return total, err
	}
	for _, s := range p.sites(w.deployment) {
		if s.Component != component {
			continue
		}
		err := ask(to, func(c *ingress.Client) error {
			seen, err := c.Measure(ctx, s)
			total = total.Plus(sampleOf(seen.Canary))
			return err
		})
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// drainPoll is how often the proxies are asked what is under way.
const drainPoll = 50 * time.Millisecond

// Drain implements rollout.Proxy. Should visitors be led there again, its doors are
// opened anew.
func (w *ways) Drain(ctx context.Context, instance string) error {
	w.shut(instance)
	for {
		to, err := w.proxies(ctx)
		if err != nil {
			return err
		}
		busy := false
		err = ask(to, func(c *ingress.Client) error {
			more, err := c.Busy(ctx, w.ledTo(instance))
			busy = busy || more
			return err
		})
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // the time is up
		case err != nil || !busy:
			return err
		}
		select {
		case <-w.after(drainPoll):
		case <-ctx.Done():
			return nil
		}
	}
}

// remember notes where instances are reached: the proxy is asked about them when
// nothing leads there any more.
func (w *ways) remember(p part) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range p.sites(w.deployment) {
		for _, b := range s.Backends {
			u := ingress.Upstream{Address: b.Address, Connections: s.Route.Protocol == engine.RouteTCP}
			if !slices.Contains(w.led[b.Instance], u) {
				w.led[b.Instance] = append(w.led[b.Instance], u)
			}
		}
	}
}

// shut forgets that the doors of an instance are open.
func (w *ways) shut(instance string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(w.open, func(door, _ string) bool { return instanceOf(door) == instance })
}

func (w *ways) ledTo(instance string) []ingress.Upstream {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.led[instance])
}

func sampleOf(c ingress.Count) rollout.Sample {
	s := rollout.Sample{Requests: c.Requests, Errors: c.Errors}
	for _, b := range c.Latency {
		s.Latency = append(s.Latency, rollout.Bucket(b))
	}
	return s
}

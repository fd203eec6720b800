package core

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/ingress"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// proxy is a running instance of a node's ingress. One that is not proven yet,
// while the ingress itself is replaced, is told everything too, but its answers
// decide nothing.
type proxy struct {
	*ingress.Client
	key    node.Key
	proven bool
}

// proxies are the running instances of a node's ingress, of which one at least of
// each component is proven.
func (e *Engine) proxies(ctx context.Context, n engine.Node, d node.Driver) ([]proxy, error) {
	rec, err := e.store.Ingress(ctx, n.ID)
	if err != nil {
		return nil, noIngress(n, err)
	}
	token, err := e.open(rec.Token)
	if err != nil {
		return nil, err
	}
	seen, err := d.Observe(ctx, engine.IngressID(n.ID))
	if err != nil {
		return nil, err
	}
	var all []proxy
	serves := map[string]bool{}
	for _, i := range seen.Instances {
		if i.State == node.Running {
			p := proxy{Client: e.proxyClient(n, d, i, token), key: i.Key, proven: i.Labels.Revision <= rec.Serving}
			all = append(all, p)
			serves[i.Labels.Component] = serves[i.Labels.Component] || p.proven
		}
	}
	if !serves[ingress.Front] || !serves[ingress.Router] {
		return nil, noIngress(n, nil)
	}
	return all, nil
}

// ask puts a question to every proxy, and answers the first failure of one that is
// proven.
func ask(to []proxy, question func(*ingress.Client) error) error {
	for _, p := range to {
		if err := question(p.Client); err != nil && p.proven {
			return err
		}
	}
	return nil
}

func (e *Engine) proxyClient(n engine.Node, d node.Driver, i node.Instance, token string) *ingress.Client {
	dial := func(ctx context.Context, port int) (net.Conn, error) { return d.Dial(ctx, i.Key, "tcp", port) }
	return ingress.NewClient(i.Labels.Component, dial, *n.Ingress, token)
}

func noIngress(n engine.Node, err error) error {
	return &engine.Error{
		Class: engine.ErrUnavailable, Reason: "the ingress of node " + n.ID + " does not run", Err: err,
		Hint: "apply the slipway_node: its drift says what is missing, and apply starts it again",
	}
}

// pushIngress puts what the store says into force in the node's proxies.
func (e *Engine) pushIngress(ctx context.Context, n engine.Node, to []proxy) error {
	return ask(to, func(c *ingress.Client) error {
		return c.Load(ctx, func(ctx context.Context) (ingress.Input, error) { return e.ingressInput(ctx, n) })
	})
}

// rebuildIngress gives a node's ingress everything anew: the ways to the
// instances of all deployments, and what leads there.
func (e *Engine) rebuildIngress(ctx context.Context, n engine.Node) error {
	d, err := e.driver(ctx, n)
	if err != nil {
		return err
	}
	parts, err := e.store.IngressParts(ctx, n.ID)
	if err != nil {
		return err
	}
	for _, stored := range parts {
		var p part
		if err := json.Unmarshal(stored.Part, &p); err != nil {
			return err
		}
		if err := openDoors(ctx, d, n, stored.DeploymentID, p); err != nil {
			return err
		}
	}
	to, err := e.proxies(ctx, n, d)
	if err != nil {
		return err
	}
	return e.pushIngress(ctx, n, to)
}

// openDoors lets a node's ingress in to what a part leads to. An instance that is
// gone has no door: its deployment repairs that, and must not wait for it here.
func openDoors(ctx context.Context, d node.Driver, n engine.Node, deployment string, p part) error {
	for _, door := range doorsOf(p.Ways) {
		_, err := d.Admit(ctx, engine.IngressID(n.ID), deployment, []node.Door{door})
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
	}
	return nil
}

// readyIngress starts the node's ingress again where it does not answer.
func (e *Engine) readyIngress(ctx context.Context, n engine.Node) error {
	d, err := e.driver(ctx, n)
	if err != nil {
		return err
	}
	to, err := e.proxies(ctx, n, d)
	if err == nil {
		err = ask(to, func(c *ingress.Client) error { _, err := c.Current(ctx); return err })
	}
	if err == nil {
		return nil
	}
	e.log.WarnContext(ctx, "the ingress does not answer and is started again", "node", n.ID, "error", err.Error())
	return e.ensureIngress(ctx, n)
}

// leaveIngress takes a deployment that is to be removed out of the ingress. One
// that does not run has nothing to forget.
func (e *Engine) leaveIngress(ctx context.Context, op *operation, n engine.Node, rec store.DeploymentRecord) error {
	p, err := e.readPart(ctx, n.ID, rec.ID)
	if err != nil || len(p.Ways) == 0 {
		return err
	}
	d, err := e.driver(ctx, n)
	if err == nil {
		_, err = d.Info(ctx) // what cannot be removed now goes on with its routes
	}
	if err != nil {
		return err
	}
	return op.step(ctx, rollout.Step{Name: "route", Detail: "nowhere"}, func() error {
		err := e.waysOf(n, d, rec.Deployment).Lead(ctx, nil)
		if _, gone := e.proxies(ctx, n, d); gone != nil {
			return nil //nolint:nilerr // its truth is in the store, which has no such part any more
		}
		return err
	})
}

// ingressDrift tells how a node's ingress differs from what the node declares.
func (e *Engine) ingressDrift(ctx context.Context, n engine.Node) ([]string, error) {
	rec, err := e.store.Ingress(ctx, n.ID)
	switch {
	case errors.Is(err, engine.ErrNotFound) && n.Ingress == nil:
		return nil, nil
	case errors.Is(err, engine.ErrNotFound):
		return []string{"ingress: it was never started"}, nil
	case err != nil:
		return nil, err
	}
	served, err := servedIngress(rec)
	if err != nil {
		return nil, err
	}
	seen, err := e.observation(ctx, n)
	if err != nil {
		return nil, err
	}
	instances, table := seen.Of(engine.IngressID(n.ID))
	lines := drift(served, instances, table.Routes, func(i node.Instance) bool { return i.Labels.Revision > rec.Serving })
	outdated, err := e.outdated(n, rec, served)
	if outdated {
		lines = append(lines, "ingress: another version of the provider started it")
	}
	return lines, err
}

// outdated reports whether this engine would run the ingress otherwise. One that
// began with less than its configuration wants now might refuse it.
func (e *Engine) outdated(n engine.Node, rec store.Ingress, served map[string]catalog.Effective) (bool, error) {
	if n.Ingress == nil || rec.Serving == 0 {
		return false, nil
	}
	token, err := e.open(rec.Token)
	if err != nil {
		return false, err
	}
	wanted, err := e.effectiveIngress(n, served[ingress.Router].Image, token)
	if err != nil {
		return false, err
	}
	same := maps.EqualFunc(served, wanted, func(a, b catalog.Effective) bool { return a.ConfigHash == b.ConfigHash })
	return !same, nil
}

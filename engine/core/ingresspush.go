package core

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
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
	key       node.Key
	component string
	proven    bool
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
	all := e.proxiesAmong(n, d, seen.Instances, rec.Serving, token)
	for _, component := range []string{ingress.Front, ingress.Router} {
		if !slices.ContainsFunc(all, func(p proxy) bool { return p.component == component && p.proven }) {
			return nil, noIngress(n, nil)
		}
	}
	return all, nil
}

// proxiesAmong are the instances that run.
func (e *Engine) proxiesAmong(n engine.Node, d node.Driver, instances []node.Instance, serving int, token string) []proxy {
	var all []proxy
	for _, i := range instances {
		if i.State == node.Running {
			all = append(all, proxy{
				Client: e.proxyClient(n, d, i, token), key: i.Key, component: i.Labels.Component, proven: i.Labels.Revision <= serving,
			})
		}
	}
	return all
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

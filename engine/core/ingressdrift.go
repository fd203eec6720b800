package core

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
	"github.com/slipwayhq/terraform-provider-slipway/engine/ingress"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

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
	switch {
	case err != nil:
		return lines, err
	case outdated:
		return append(lines, "ingress: another version of the provider started it"), nil
	}
	lost, err := e.lostWays(ctx, n, rec, instances)
	return append(lines, lost...), err
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

// lookPatience is how long a proxy may take to tell what it does.
const lookPatience = 10 * time.Second

// lostWays names the components that do not do what the store says: somebody
// changed them, or they began with what they did before. Where no route is nothing
// is asked. One that does not answer is no news of what it should do.
func (e *Engine) lostWays(ctx context.Context, n engine.Node, rec store.Ingress, instances []node.Instance) (lines []string, err error) {
	if n.Ingress == nil {
		return nil, nil
	}
	in, err := e.ingressInput(ctx, n)
	if err != nil || len(in.Sites) == 0 {
		return nil, err
	}
	token, err := e.open(rec.Token)
	if err != nil {
		return nil, err
	}
	d, err := e.driver(ctx, n)
	if err != nil {
		return nil, err
	}
	ctx, cancel := health.WithTimeout(ctx, e.clock, lookPatience)
	defer cancel()
	for _, p := range e.proxiesAmong(n, d, instances, rec.Serving, token) {
		if has, err := p.InForce(ctx, in); err == nil && !has && p.proven {
			lines = append(lines, p.component+": it does not have the routes that it should")
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(lines))), nil
}

package core

import (
	"context"
	"maps"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// placesAreFree says at plan what ClaimPlaces would say at apply. Of deployments
// that this run plans too it counts what they will have.
func (e *Engine) placesAreFree(ctx context.Context, w world, d engine.Deployment, in engine.Planned) error {
	wanted := catalog.Claims(w.version.Components)
	if len(wanted) == 0 {
		return nil
	}
	stored, err := e.store.IngressClaims(ctx, w.environment.NodeID)
	if err != nil {
		return err
	}
	owners := catalog.PlaceOwners{}
	for _, c := range stored {
		if _, planned := in.Deployments[c.DeploymentID]; !planned && !in.Leaving[c.DeploymentID] && c.DeploymentID != d.ID {
			owners.Add(c.DeploymentID, c.Claim)
		}
	}
	for id, other := range in.Deployments {
		if id == d.ID || in.Leaving[id] {
			continue
		}
		nodeID, err := e.foreseeNodeID(ctx, other.EnvironmentID, in)
		if err != nil {
			return err
		}
		if nodeID == w.environment.NodeID {
			owners.Add(id, e.foreseeClaims(ctx, other.Version, in)...)
		}
	}
	return owners.Check(w.environment.NodeID, wanted)
}

// foreseeNodeID is the node of an environment, "" when nobody knows it yet.
func (e *Engine) foreseeNodeID(ctx context.Context, environmentID string, in engine.Planned) (string, error) {
	if planned, found := in.Environments[environmentID]; found {
		return planned.NodeID, nil
	}
	stored, err := orNil(e.store.Environment(ctx, environmentID))
	if err != nil || stored == nil {
		return "", err
	}
	return stored.NodeID, nil
}

// foreseeClaims are those of a version that another deployment comes to; what is
// wrong with that its own plan says.
func (e *Engine) foreseeClaims(ctx context.Context, ref string, in engine.Planned) []catalog.Claim {
	e.mu.Lock()
	claims, known := e.claims[ref]
	e.mu.Unlock()
	if known {
		return claims
	}
	v, _, err := e.foreseeVersion(ctx, ref, in.Versions)
	if err != nil {
		return nil
	}
	claims = catalog.Claims(v.Components)
	if _, digest, err := engine.SplitRef(ref); err == nil && digest != "" {
		e.mu.Lock()
		e.claims[ref] = claims
		e.mu.Unlock()
	}
	return claims
}

// claimPlaces makes the places of the routes in all of those configurations the
// deployment's own.
func claimPlaces(ctx context.Context, q store.Queries, deployment string, configurations ...map[string]catalog.Effective) error {
	var claims []catalog.Claim
	for _, components := range configurations {
		claims = append(claims, catalog.Claims(routed(components))...)
	}
	return q.ClaimPlaces(ctx, deployment, claims)
}

// routed are the components as they run.
func routed(components map[string]catalog.Effective) map[string]engine.Component {
	all := make(map[string]engine.Component, len(components))
	for name, c := range components {
		all[name] = c.Component
	}
	return all
}

// claiming runs a rollout that holds the places of the routes that serve and of
// those that shall, until it is known which of them do.
func (a *attempt) claiming(ctx context.Context, wanted desire, run func() error) error {
	if !a.claims(wanted) {
		return run()
	}
	prior := a.prior.components()
	if err := claimPlaces(ctx, a.store.Queries, a.rec.ID, prior, wanted.components); err != nil {
		return err
	}
	err := run()
	if err != nil {
		if back := claimPlaces(context.WithoutCancel(ctx), a.store.Queries, a.rec.ID, prior); back != nil {
			a.log.WarnContext(ctx, "give back places on the ingress", "deployment", a.rec.ID, "error", back.Error())
		}
	}
	return err
}

// claims reports whether the attempt has to do with places on an ingress.
func (a *attempt) claims(wanted desire) bool {
	return hasRoutes(a.prior.components()) || hasRoutes(wanted.components)
}

func hasRoutes(components map[string]catalog.Effective) bool {
	for _, c := range components {
		if len(c.Component.Routes) > 0 {
			return true
		}
	}
	return false
}

// urls are those of the routes that serve. The node is asked for its address only
// where a route has no host of its own.
func (e *Engine) urls(ctx context.Context, n engine.Node, components map[string]catalog.Effective) (map[string]string, error) {
	all := catalog.RouteURLs(routed(components), n, "")
	if !slices.Contains(slices.Collect(maps.Values(all)), "") {
		return all, nil
	}
	d, err := e.driver(ctx, n)
	if err != nil {
		return all, err
	}
	info, err := d.Info(ctx)
	if err != nil {
		return all, err
	}
	return catalog.RouteURLs(routed(components), n, info.Address), nil
}

// ingressMayChange refuses to take from a node's ingress what deployments use.
func (e *Engine) ingressMayChange(ctx context.Context, wanted engine.Node) error {
	claims, err := e.store.IngressClaims(ctx, wanted.ID)
	if err != nil {
		return err
	}
	used := catalog.PlaceOwners{}
	for _, c := range claims {
		used.Add(c.DeploymentID, c.Claim)
	}
	return catalog.CheckIngressChange(wanted, used)
}

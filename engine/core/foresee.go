package core

import (
	"context"
	"errors"
	"fmt"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/plan"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// unknownSecret stands for the hash of a secret whose new value comes with
// this run: it differs from every hash there is.
const unknownSecret = "new"

// PlanDeployment implements engine.Service. It is a pure function of the store
// and its input: what the node shows at this moment plays no part, so that the
// plan that Terraform makes again while applying says the same.
func (e *Engine) PlanDeployment(ctx context.Context, d engine.Deployment, in engine.PlanInput) (engine.DeploymentPlan, error) {
	d, err := complete(d)
	if err != nil {
		return engine.DeploymentPlan{}, err
	}
	p := engine.DeploymentPlan{Prefix: d.Prefix}
	w, known, err := e.foreseeWorld(ctx, d, in)
	p.NodeID = w.environment.NodeID
	if err != nil || !known {
		return p, err
	}
	if err := w.check(d, in.Prior == nil); err != nil {
		return p, err
	}
	if err := e.prefixIsFree(ctx, p.NodeID, d, in.Leaving); err != nil {
		return p, err
	}
	if err := e.placesAreFree(ctx, w, d, in.Planned); err != nil {
		return p, err
	}
	if err := e.promotable(ctx, d, w, in); err != nil {
		return p, err
	}
	wanted, known, err := e.foreseeComponents(ctx, d, w, in)
	if err != nil || !known {
		return p, err
	}
	prior, err := e.servingOf(ctx, d.ID)
	if err != nil {
		return p, err
	}
	p.Pending = prior == nil || len(changedComponents(prior.components(), wanted)) > 0
	data, err := e.dataOf(ctx, d, prior, desire{version: w.version, components: wanted})
	if err != nil {
		return p, err
	}
	var traits plan.Traits
	if p.Pending { // else nothing is replaced, and the node need not answer
		if traits, err = e.foreseeTraits(ctx, w, wanted); err != nil {
			return p, err
		}
	}
	p.Known, traits.Data, traits.Recreate = true, data, d.Strategy.Type == engine.StrategyRecreate
	p.URLs = catalog.RouteURLs(w.version.Components, w.node, "")
	p.Idle = catalog.IdleStrategy(d.Strategy, w.version.Components)
	p.Changes = plan.WithRepairs(plan.Changes(prior.components(), wanted, traits), in.Drift)
	p.Gaps = plan.Gaps(prior.components(), wanted, traits)
	p.Downgrade, err = e.foreseeDowngrade(ctx, prior, w.version, data)
	return p, err
}

// foreseeDowngrade tells what going back to an older version takes away.
func (e *Engine) foreseeDowngrade(ctx context.Context, prior *serving, wanted engine.Version, data []plan.Data) (string, error) {
	served, err := e.servedVersion(ctx, prior)
	if err != nil || served == nil {
		return "", err
	}
	var restored []string
	for _, d := range data {
		if d.Restore != nil {
			restored = append(restored, d.Full())
		}
	}
	return catalog.Downgrade(served.Version, wanted, restored), nil
}

// servedVersion is the version that serves, nil when there is none.
func (e *Engine) servedVersion(ctx context.Context, prior *serving) (*store.VersionRecord, error) {
	if prior == nil {
		return nil, nil
	}
	id, _, err := engine.SplitRef(prior.revision.VersionRef)
	if err != nil {
		return nil, err
	}
	return orNil(e.store.Version(ctx, id))
}

// foreseeWorld is lookUp before everything exists: what is planned in this run
// stands in for what is not stored yet.
func (e *Engine) foreseeWorld(ctx context.Context, d engine.Deployment, in engine.PlanInput) (w world, known bool, err error) {
	environment, err := orNil(e.store.Environment(ctx, d.EnvironmentID))
	if err != nil {
		return w, false, err
	}
	planned, found := in.Environments[d.EnvironmentID]
	if found {
		environment = &planned.Environment
	}
	if environment == nil {
		return w, false, nil
	}
	w.environment = *environment
	if w.node, w.fresh, err = e.foreseeNode(ctx, environment.NodeID, in.Planned); err != nil {
		return w, false, err
	}
	if w.node.ID != "" && w.node.Kind == "" {
		return w, false, nil
	}
	w.version, known, err = e.foreseeVersion(ctx, d.Version, in.Versions)
	return w, known, err
}

func (e *Engine) foreseeVersion(ctx context.Context, ref string, planned map[string]engine.Version) (engine.Version, bool, error) {
	id, digest, err := engine.SplitRef(ref)
	if err != nil {
		return engine.Version{}, false, err
	}
	if v, ok := planned[id]; ok {
		if digest != "" && digest != v.Digest {
			return v, false, otherContent(id, digest, v.Digest)
		}
		return v, len(v.Images) == len(v.Components), nil
	}
	v, err := e.versionOf(ctx, ref)
	if errors.Is(err, engine.ErrNotFound) && digest == "" {
		return v, false, nil // it may be made in this run without being referred to
	}
	return v, err == nil, err
}

// prefixIsFree says at plan what the store's unique index would say at apply.
func (e *Engine) prefixIsFree(ctx context.Context, nodeID string, d engine.Deployment, leaving map[string]bool) error {
	owner, err := e.store.PrefixOwner(ctx, nodeID, d.Prefix)
	if err != nil || owner == "" || owner == d.ID || leaving[owner] {
		return err
	}
	return &engine.Error{
		Class: engine.ErrConflict, Field: "prefix",
		Reason: fmt.Sprintf("prefix %q on node %s belongs to deployment %s", d.Prefix, nodeID, owner),
		Hint:   "choose another prefix, or an environment on another node",
	}
}

// foreseeComponents merges the configuration as far as it is known.
func (e *Engine) foreseeComponents(ctx context.Context, d engine.Deployment, w world, in engine.PlanInput) (map[string]catalog.Effective, bool, error) {
	hashes, err := e.foreseeSecrets(ctx, d, w, in)
	if err != nil {
		return nil, false, err
	}
	merged, err := catalog.Merge(mergeInput(d, w, hashes))
	return merged, err == nil, err
}

func (e *Engine) foreseeSecrets(ctx context.Context, d engine.Deployment, w world, in engine.PlanInput) (map[string]string, error) {
	stored, err := e.sealedSecrets(ctx, d.EnvironmentID, d.ID, nil)
	if err != nil {
		return nil, err
	}
	hashes := hashesOf(stored)
	if !in.SecretsChanged && !in.Environments[d.EnvironmentID].SecretsChanged {
		return hashes, nil
	}
	// Names and values come only with apply: every secret that is used counts as new.
	hashes = map[string]string{}
	for _, c := range w.version.Components {
		for _, name := range catalog.SecretsOf(c) {
			hashes[name] = unknownSecret
		}
	}
	return hashes, nil
}

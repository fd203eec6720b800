package core

import (
	"context"
	"maps"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// Deployment implements engine.Service.
func (e *Engine) Deployment(ctx context.Context, id string) (engine.Deployment, error) {
	rec, err := e.store.Deployment(ctx, id)
	if err != nil {
		return engine.Deployment{}, err
	}
	return e.observed(ctx, rec, e.observation)
}

// outcome reads a deployment after an operation on it, and leaves the node's
// other deployments alone.
func (e *Engine) outcome(ctx context.Context, id string) (engine.Deployment, error) {
	rec, err := e.store.Deployment(ctx, id)
	if err != nil {
		return engine.Deployment{}, err
	}
	return e.observed(ctx, rec, func(ctx context.Context, n engine.Node) (node.Observation, error) {
		driver, err := e.driver(ctx, n)
		if err != nil {
			return node.Observation{}, err
		}
		return driver.Observe(ctx, id)
	})
}

// Deployments implements engine.Service.
func (e *Engine) Deployments(ctx context.Context, f engine.DeploymentFilter) ([]engine.Deployment, error) {
	records, err := e.store.ListDeployments(ctx, f)
	if err != nil {
		return nil, err
	}
	all := make([]engine.Deployment, 0, len(records))
	for _, rec := range records {
		d, err := e.observed(ctx, rec, e.observation)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// observed adds what a look at the node shows to what the store knows.
func (e *Engine) observed(ctx context.Context, rec store.DeploymentRecord, look looker) (engine.Deployment, error) {
	d := rec.Deployment
	d.Observed.NodeID = rec.NodeID
	d.Observed.Health = engine.HealthUnknown
	s, err := e.servingOf(ctx, rec.ID)
	if err == nil {
		d.Observed.Promotion, err = e.promotionStatus(ctx, rec, s)
	}
	if err != nil || s == nil {
		return d, err
	}
	n, err := e.store.Node(ctx, rec.NodeID)
	if err != nil {
		return d, err
	}
	d.Observed.URLs, err = e.urls(ctx, n, s.components())
	var seen node.Observation
	if err == nil {
		seen, err = look(ctx, n)
	}
	if err == nil {
		err = e.describe(ctx, seen, s, &d)
	}
	if err != nil { // the node could not be asked
		d.Observed.NodeMessage = reasonAndHint(err)
	}
	return d, nil
}

// looker looks at a node, or at a part of it.
type looker func(ctx context.Context, n engine.Node) (node.Observation, error)

// describe tells what was seen of a deployment.
func (e *Engine) describe(ctx context.Context, seen node.Observation, s *serving, d *engine.Deployment) error {
	unproven, err := e.unproven(ctx, d.ID)
	if err != nil {
		return err
	}
	instances, table := seen.Of(d.ID)
	instances = withoutKept(instances, e.keptOf(*d, s, unproven), s.components(), s.components())
	d.Observed.Instances = summaries(s.components(), instances)
	d.Observed.Health = healthOf(d.Observed.Instances)
	d.Observed.Drift = drift(s.components(), instances, table.Routes, unproven)
	d.Observed.Endpoints = map[string]engine.Endpoint{}
	maps.Copy(d.Observed.Endpoints, table.Endpoints)
	return nil
}

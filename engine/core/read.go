package core

import (
	"context"
	"maps"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// Deployment implements engine.Service.
func (e *Engine) Deployment(ctx context.Context, id string) (engine.Deployment, error) {
	rec, err := e.store.Deployment(ctx, id)
	if err != nil {
		return engine.Deployment{}, err
	}
	return e.observed(ctx, rec)
}

// Deployments implements engine.Service.
func (e *Engine) Deployments(ctx context.Context, f engine.DeploymentFilter) ([]engine.Deployment, error) {
	records, err := e.store.ListDeployments(ctx, f)
	if err != nil {
		return nil, err
	}
	all := make([]engine.Deployment, 0, len(records))
	for _, rec := range records {
		d, err := e.observed(ctx, rec)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

// observed adds what the node shows to what the store knows.
func (e *Engine) observed(ctx context.Context, rec store.DeploymentRecord) (engine.Deployment, error) {
	d := rec.Deployment
	d.Observed.NodeID = rec.NodeID
	d.Observed.Health = engine.HealthUnknown
	s, err := e.servingOf(ctx, rec.ID)
	if err != nil || s == nil {
		return d, err
	}
	n, err := e.store.Node(ctx, rec.NodeID)
	if err != nil {
		return d, err
	}
	if err := e.look(ctx, n, s, &d); err != nil {
		d.Observed.NodeMessage = reasonAndHint(err)
	}
	return d, nil
}

// look asks the node; an error means that it could not be asked.
func (e *Engine) look(ctx context.Context, n engine.Node, s *serving, d *engine.Deployment) error {
	all, err := e.instancesOn(ctx, n)
	if err != nil {
		return err
	}
	driver, err := e.driver(ctx, n)
	if err != nil {
		return err
	}
	routes, endpoints, err := driver.Routes(ctx, d.ID)
	if err != nil {
		return err
	}
	unproven, err := e.unproven(ctx, d.ID)
	if err != nil {
		return err
	}
	instances := ofDeployment(all, d.ID)
	d.Observed.Instances = summaries(s.components(), instances)
	d.Observed.Health = healthOf(d.Observed.Instances)
	d.Observed.Drift = drift(s.components(), instances, routes, unproven)
	d.Observed.Endpoints = map[string]engine.Endpoint{}
	maps.Copy(d.Observed.Endpoints, endpoints)
	return nil
}

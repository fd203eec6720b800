package core

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// promotable refuses a version that the deployment's environment must not take
// yet. in is what is planned in this run, nothing while applying.
func (e *Engine) promotable(ctx context.Context, d engine.Deployment, w world, in engine.PlanInput) error {
	p := catalog.Promotion{Version: w.version.Name, Environment: d.EnvironmentID, Source: w.environment.PromotesFromID}
	if p.Source == "" {
		return nil
	}
	var err error
	if p.MinSoak, err = engine.ParseDuration("min_soak", w.environment.MinSoak, 0); err != nil {
		return err
	}
	if p.RanHere, err = e.ranIn(ctx, d, w.version); err != nil {
		return err
	}
	there, err := e.store.Served(ctx, p.Source, w.version.Ref, w.version.Images)
	if err != nil {
		return err
	}
	p.Ever, p.For = there.Ever, there.For
	p.Planned = e.comesTo(ctx, p.Source, w.version.Ref, in)
	return catalog.AllowPromotion(p)
}

// ranIn reports whether the same content ran in the deployment's environment,
// or serves in the deployment itself.
func (e *Engine) ranIn(ctx context.Context, d engine.Deployment, v engine.Version) (bool, error) {
	serving, err := orNil(e.store.ServingRevision(ctx, d.ID))
	if err != nil || serving != nil && serving.VersionRef == v.Ref {
		return err == nil, err
	}
	here, err := e.store.Served(ctx, d.EnvironmentID, v.Ref, v.Images)
	return here.Ever, err
}

// comesTo reports whether this run brings a deployment in the environment to
// that content.
func (e *Engine) comesTo(ctx context.Context, environment, ref string, in engine.PlanInput) bool {
	for _, other := range in.Deployments {
		if other.EnvironmentID != environment || other.DesiredState == engine.StateStopped {
			continue
		}
		v, _, err := e.foreseeVersion(ctx, other.Version, in.Versions)
		if err == nil && v.Ref == ref {
			return true
		}
	}
	return false
}

// PlanEnvironment implements engine.Service.
func (e *Engine) PlanEnvironment(ctx context.Context, env engine.Environment, in engine.Planned) error {
	env.ID = engine.JoinID(env.TeamID, env.Name)
	if err := catalog.ValidateEnvironment(env); err != nil {
		return err
	}
	sources, err := sourcesIn(ctx, e.store.Queries, env.TeamID)
	if err != nil {
		return err
	}
	for id, planned := range in.Environments {
		sources[id] = planned.PromotesFromID
	}
	sources[env.ID] = env.PromotesFromID
	return catalog.AllowSource(env, sources)
}

// sourcesIn are the promotion sources of a team's environments, by id.
func sourcesIn(ctx context.Context, q store.Queries, teamID string) (map[string]string, error) {
	all, err := q.ListEnvironmentsByTeam(ctx, teamID)
	sources := map[string]string{}
	for _, env := range all {
		sources[env.ID] = env.PromotesFromID
	}
	return sources, err
}

// promotionStatus tells whether a deployment serves what its source serves, ""
// without a source.
func (e *Engine) promotionStatus(ctx context.Context, rec store.DeploymentRecord, s *serving) (string, error) {
	if rec.PromotesFromID == "" {
		return "", nil
	}
	there, err := e.store.ServingIn(ctx, rec.PromotesFromID, rec.ProductID)
	if err != nil {
		return "", err
	}
	for _, r := range there {
		if s != nil && r.VersionRef == s.revision.VersionRef {
			return engine.PromotionInSync, nil
		}
	}
	return engine.PromotionOutOfSync, nil
}

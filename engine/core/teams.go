package core

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// CreateTeam implements engine.Service.
func (e *Engine) CreateTeam(ctx context.Context, t engine.Team) (engine.Team, error) {
	t.ID = t.Name
	if err := catalog.ValidateTeam(t); err != nil {
		return engine.Team{}, err
	}
	return e.store.CreateTeam(ctx, t)
}

// Team implements engine.Service.
func (e *Engine) Team(ctx context.Context, id string) (engine.Team, error) {
	return e.store.Team(ctx, id)
}

// UpdateTeam implements engine.Service.
func (e *Engine) UpdateTeam(ctx context.Context, t engine.Team) (engine.Team, error) {
	if err := catalog.ValidateTeam(t); err != nil {
		return engine.Team{}, err
	}
	return e.store.UpdateTeam(ctx, t)
}

// DeleteTeam implements engine.Service.
func (e *Engine) DeleteTeam(ctx context.Context, id string) error {
	return e.store.DeleteTeam(ctx, id)
}

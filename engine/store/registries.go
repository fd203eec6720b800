package store

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

var registries = table{engine.KindRegistry, "registries", []string{"team_id", "name", "url", "username", "ca_certificate", "password_version"}}

func registryRow(r engine.Registry) []any {
	return []any{r.TeamID, r.Name, r.URL, r.Username, r.CACertificate, r.PasswordVersion}
}

func scanRegistry(s scanner) (r engine.Registry, err error) {
	return r, s.Scan(&r.ID, &r.TeamID, &r.Name, &r.URL, &r.Username, &r.CACertificate, &r.PasswordVersion)
}

// CreateRegistry makes the registry, or adopts one that was never confirmed.
// Its password is a secret of the registry, see ReplaceSecrets.
func (s Queries) CreateRegistry(ctx context.Context, r engine.Registry) (engine.Registry, error) {
	now := s.run.now()
	return r, s.run.write(ctx, func(q querier) error {
		if err := teams.parent(ctx, q, "team_id", r.TeamID); err != nil {
			return err
		}
		return registries.create(ctx, q, nanos{&now}, r.ID, registryRow(r))
	})
}

// Registry reads one registry.
func (s Queries) Registry(ctx context.Context, id string) (engine.Registry, error) {
	return one(ctx, s.run.read(), engine.NotFound("registry", id), scanRegistry, "SELECT "+registries.list()+" FROM registries WHERE id = ?", id)
}

// UpdateRegistry changes a registry and keeps its password.
func (s Queries) UpdateRegistry(ctx context.Context, r engine.Registry) (engine.Registry, error) {
	return r, s.run.write(ctx, func(q querier) error { return registries.update(ctx, q, r.ID, registryRow(r)) })
}

// DeleteRegistry deletes a registry and its password.
func (s Queries) DeleteRegistry(ctx context.Context, id string) error {
	return s.run.write(ctx, func(q querier) error { return registries.remove(ctx, q, id) })
}

// ListRegistriesByTeam reads a team's registries, ordered by id.
func (s Queries) ListRegistriesByTeam(ctx context.Context, teamID string) ([]engine.Registry, error) {
	return all(ctx, s.run.read(), scanRegistry, "SELECT "+registries.list()+" FROM registries WHERE team_id = ? ORDER BY id", teamID)
}

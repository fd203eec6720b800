package store

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

var environments = table{engine.KindEnvironment, "environments", []string{
	"team_id", "name", "node_id", "type", "description", "variables", "promotes_from_id", "min_soak", "deletion_protection", "secrets_version",
}}

func environmentRow(e engine.Environment) []any {
	return []any{e.TeamID, e.Name, e.NodeID, e.Type, e.Description, jsonColumn{e.Variables}, e.PromotesFromID, e.MinSoak, e.DeletionProtection, e.SecretsVersion}
}

func scanEnvironment(s scanner) (e engine.Environment, err error) {
	return e, s.Scan(&e.ID, &e.TeamID, &e.Name, &e.NodeID, &e.Type, &e.Description, jsonColumn{&e.Variables}, &e.PromotesFromID, &e.MinSoak, &e.DeletionProtection, &e.SecretsVersion)
}

// CreateEnvironment makes the environment, or adopts one that was never
// confirmed. Its secrets are set by ReplaceSecrets.
func (s Queries) CreateEnvironment(ctx context.Context, e engine.Environment) (engine.Environment, error) {
	now := s.run.now()
	err := s.run.write(ctx, func(q querier) error {
		if err := environmentParents(ctx, q, e); err != nil {
			return err
		}
		return environments.create(ctx, q, nanos{&now}, e.ID, environmentRow(e))
	})
	return s.stored(ctx, e, err)
}

// Environment reads one environment with the names of its secrets.
func (s Queries) Environment(ctx context.Context, id string) (engine.Environment, error) {
	e, err := one(ctx, s.run.read(), engine.NotFound("environment", id), scanEnvironment,
		"SELECT "+environments.list()+" FROM environments WHERE id = ?", id)
	return s.stored(ctx, e, err)
}

// UpdateEnvironment changes an environment and keeps its secrets.
func (s Queries) UpdateEnvironment(ctx context.Context, e engine.Environment) (engine.Environment, error) {
	err := s.run.write(ctx, func(q querier) error {
		if err := environmentParents(ctx, q, e); err != nil {
			return err
		}
		return environments.update(ctx, q, e.ID, environmentRow(e))
	})
	return s.stored(ctx, e, err)
}

// DeleteEnvironment deletes an environment without deployments, and its secrets.
func (s Queries) DeleteEnvironment(ctx context.Context, id string) error {
	return s.run.write(ctx, func(q querier) error { return environments.remove(ctx, q, id) })
}

// ListEnvironmentsByTeam reads a team's environments, ordered by id.
func (s Queries) ListEnvironmentsByTeam(ctx context.Context, teamID string) ([]engine.Environment, error) {
	list, err := all(ctx, s.run.read(), scanEnvironment,
		"SELECT "+environments.list()+" FROM environments WHERE team_id = ? ORDER BY id", teamID)
	for i := range list {
		list[i], err = s.stored(ctx, list[i], err)
	}
	return list, err
}

// stored adds the names of the environment's secrets.
func (s Queries) stored(ctx context.Context, e engine.Environment, err error) (engine.Environment, error) {
	if err != nil {
		return engine.Environment{}, err
	}
	e.SecretNames, err = s.SecretNames(ctx, engine.KindEnvironment, e.ID)
	return e, err
}

func environmentParents(ctx context.Context, q querier, e engine.Environment) error {
	if err := teams.parent(ctx, q, "team_id", e.TeamID); err != nil {
		return err
	}
	if e.PromotesFromID != "" {
		if err := environments.parent(ctx, q, "promotes_from_id", e.PromotesFromID); err != nil {
			return err
		}
	}
	return nodes.parent(ctx, q, "node_id", e.NodeID)
}

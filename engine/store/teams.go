package store

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

var teams = table{engine.KindTeam, "teams", []string{"name", "description"}}

func teamRow(t engine.Team) []any { return []any{t.Name, t.Description} }

func scanTeam(s scanner) (t engine.Team, err error) {
	return t, s.Scan(&t.ID, &t.Name, &t.Description)
}

// CreateTeam makes the team, or adopts one that was never confirmed.
func (s Queries) CreateTeam(ctx context.Context, t engine.Team) (engine.Team, error) {
	now := s.run.now()
	return t, s.run.write(ctx, func(q querier) error { return teams.create(ctx, q, nanos{&now}, t.ID, teamRow(t)) })
}

// Team reads one team.
func (s Queries) Team(ctx context.Context, id string) (engine.Team, error) {
	return one(ctx, s.run.read(), engine.NotFound("team", id), scanTeam, "SELECT "+teams.list()+" FROM teams WHERE id = ?", id)
}

// UpdateTeam changes a team.
func (s Queries) UpdateTeam(ctx context.Context, t engine.Team) (engine.Team, error) {
	return t, s.run.write(ctx, func(q querier) error { return teams.update(ctx, q, t.ID, teamRow(t)) })
}

// DeleteTeam deletes a team that owns nothing.
func (s Queries) DeleteTeam(ctx context.Context, id string) error {
	return s.run.write(ctx, func(q querier) error { return teams.remove(ctx, q, id) })
}

// ListTeams reads all teams, ordered by id.
func (s Queries) ListTeams(ctx context.Context) ([]engine.Team, error) {
	return all(ctx, s.run.read(), scanTeam, "SELECT "+teams.list()+" FROM teams ORDER BY id")
}

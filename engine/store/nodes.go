package store

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

var nodes = table{engine.KindNode, "nodes", []string{
	"team_id", "name", "description", "labels", "allocation", "kind", "local", "docker", "keep_versions", "ingress",
}}

func nodeRow(n engine.Node) []any {
	return []any{n.TeamID, n.Name, n.Description, jsonColumn{n.Labels}, n.Allocation, string(n.Kind), jsonColumn{n.Local}, jsonColumn{n.Docker}, n.KeepVersions, jsonColumn{n.Ingress}}
}

func scanNode(s scanner) (n engine.Node, err error) {
	return n, s.Scan(&n.ID, &n.TeamID, &n.Name, &n.Description, jsonColumn{&n.Labels}, &n.Allocation, &n.Kind, jsonColumn{&n.Local}, jsonColumn{&n.Docker}, &n.KeepVersions, jsonColumn{&n.Ingress})
}

// CreateNode makes the node, or adopts one that was never confirmed.
func (s Queries) CreateNode(ctx context.Context, n engine.Node) (engine.Node, error) {
	now := s.run.now()
	return n, s.run.write(ctx, func(q querier) error {
		if err := teams.parent(ctx, q, "team_id", n.TeamID); err != nil {
			return err
		}
		return nodes.create(ctx, q, nanos{&now}, n.ID, nodeRow(n))
	})
}

// Node reads one node.
func (s Queries) Node(ctx context.Context, id string) (engine.Node, error) {
	return one(ctx, s.run.read(), engine.NotFound("node", id), scanNode, "SELECT "+nodes.list()+" FROM nodes WHERE id = ?", id)
}

// UpdateNode changes a node.
func (s Queries) UpdateNode(ctx context.Context, n engine.Node) (engine.Node, error) {
	return n, s.run.write(ctx, func(q querier) error { return nodes.update(ctx, q, n.ID, nodeRow(n)) })
}

// placeOf is a node's place: it is one of its own until somebody notes another.
const placeOf = "CASE place WHEN '' THEN 'node ' || id ELSE place END"

// SetPlace notes what the node really is, "" when it does not say. It writes only
// what is new.
func (s Queries) SetPlace(ctx context.Context, id, place string) error {
	known, err := one(ctx, s.run.read(), engine.NotFound("node", id), scanString, "SELECT place FROM nodes WHERE id = ?", id)
	if err != nil || known == place {
		return err
	}
	return s.run.write(ctx, func(q querier) error {
		_, err := exec(ctx, q, "UPDATE nodes SET place = ? WHERE id = ?", place, id)
		return err
	})
}

// Place tells what the node really is: nodes that answer the same are one.
func (s Queries) Place(ctx context.Context, id string) (string, error) {
	return one(ctx, s.run.read(), engine.NotFound("node", id), scanString, "SELECT "+placeOf+" FROM nodes WHERE id = ?", id)
}

// ListNodesByPlace reads the nodes of all teams that are one place, ordered by id.
func (s Queries) ListNodesByPlace(ctx context.Context, place string) ([]engine.Node, error) {
	return all(ctx, s.run.read(), scanNode, "SELECT "+nodes.list()+" FROM nodes WHERE "+placeOf+" = ? ORDER BY id", place)
}

// DeleteNode deletes a node without environments and deployments.
func (s Queries) DeleteNode(ctx context.Context, id string) error {
	return s.run.write(ctx, func(q querier) error { return nodes.remove(ctx, q, id) })
}

// NodeUnused is nil, or the ErrConflict with which DeleteNode would refuse.
func (s Queries) NodeUnused(ctx context.Context, id string) error {
	return nodes.unused(ctx, s.run.read(), id)
}

// ListNodesByTeam reads a team's nodes, ordered by id; "" reads those of all teams.
func (s Queries) ListNodesByTeam(ctx context.Context, teamID string) ([]engine.Node, error) {
	return all(ctx, s.run.read(), scanNode, "SELECT "+nodes.list()+" FROM nodes WHERE ? IN ('', team_id) ORDER BY id", teamID)
}

package store

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

var products = table{engine.KindProduct, "products", []string{"team_id", "name", "type", "description", "labels"}}

func productRow(p engine.Product) []any {
	return []any{p.TeamID, p.Name, p.Type, p.Description, jsonColumn{p.Labels}}
}

func scanProduct(s scanner) (p engine.Product, err error) {
	return p, s.Scan(&p.ID, &p.TeamID, &p.Name, &p.Type, &p.Description, jsonColumn{&p.Labels})
}

// CreateProduct makes the product, or adopts one that was never confirmed.
// The components of a simple product belong to its rolling version and are
// kept there, not here.
func (s Queries) CreateProduct(ctx context.Context, p engine.Product) (engine.Product, error) {
	now := s.run.now()
	return p, s.run.write(ctx, func(q querier) error {
		if err := teams.parent(ctx, q, "team_id", p.TeamID); err != nil {
			return err
		}
		return products.create(ctx, q, nanos{&now}, p.ID, productRow(p))
	})
}

// Product reads one product, without Components, Images and Ref.
func (s Queries) Product(ctx context.Context, id string) (engine.Product, error) {
	return one(ctx, s.run.read(), engine.NotFound("product", id), scanProduct, "SELECT "+products.list()+" FROM products WHERE id = ?", id)
}

// UpdateProduct changes a product.
func (s Queries) UpdateProduct(ctx context.Context, p engine.Product) (engine.Product, error) {
	return p, s.run.write(ctx, func(q querier) error { return products.update(ctx, q, p.ID, productRow(p)) })
}

// DeleteProduct deletes a product without deployments, together with what is
// the product's own: a simple product's version and retired versions.
func (s Queries) DeleteProduct(ctx context.Context, id string) error {
	return s.run.write(ctx, func(q querier) error {
		if err := dropOwnVersions(ctx, q, id); err != nil {
			return err
		}
		return products.remove(ctx, q, id)
	})
}

// dropOwnVersions deletes the versions that nobody outside has, newest first
// because a parent must outlive its child.
func dropOwnVersions(ctx context.Context, q querier, productID string) error {
	own, err := all(ctx, q, scanString, `SELECT v.id FROM versions v JOIN products p ON p.id = v.product_id
		WHERE p.id = ? AND (v.retired OR p.type = 'simple')
		AND NOT EXISTS (SELECT 1 FROM deployments d WHERE d.product_id = p.id)
		AND NOT EXISTS (SELECT 1 FROM versions c WHERE c.parent_id = v.id AND NOT c.retired)
		ORDER BY v.number DESC`, productID)
	if err != nil {
		return err
	}
	for _, id := range own {
		if _, err := exec(ctx, q, "DELETE FROM versions WHERE id = ?", id); err != nil {
			return err
		}
	}
	return nil
}

// ListProductsByTeam reads a team's products, ordered by id.
func (s Queries) ListProductsByTeam(ctx context.Context, teamID string) ([]engine.Product, error) {
	return all(ctx, s.run.read(), scanProduct, "SELECT "+products.list()+" FROM products WHERE team_id = ? ORDER BY id", teamID)
}

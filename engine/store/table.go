package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// table is where one kind of object is kept: id, then columns, then created_at
// and confirmed, which only the store sets.
type table struct {
	kind    engine.Kind
	name    string
	columns []string
}

// The tables by kind; each noun's file lists its columns in the order of its row.
var tables = map[engine.Kind]table{
	engine.KindTeam: teams, engine.KindNode: nodes, engine.KindRegistry: registries, engine.KindProduct: products,
	engine.KindVersion: versions, engine.KindEnvironment: environments, engine.KindDeployment: deployments,
}

// list is the columns for a SELECT, id first.
func (t table) list() string { return "id, " + strings.Join(t.columns, ", ") }

// create makes the row, or adopts the one that nobody confirmed; a confirmed
// one is ErrExists.
func (t table) create(ctx context.Context, q querier, created nanos, id string, row []any) error {
	assign := make([]string, len(t.columns))
	for i, c := range t.columns {
		assign[i] = fmt.Sprintf("%s = excluded.%s", c, c)
	}
	query := fmt.Sprintf("INSERT INTO %s (%s, created_at) VALUES (?%s) ON CONFLICT (id) DO UPDATE SET %s WHERE NOT %s.confirmed",
		t.name, t.list(), strings.Repeat(", ?", len(t.columns)+1), strings.Join(assign, ", "), t.name)
	args := append(append([]any{id}, row...), created)
	n, err := exec(ctx, q, query, args...)
	if err == nil && n == 0 {
		return exists(t.kind, id)
	}
	return err
}

// update changes the row; an absent one is ErrNotFound.
func (t table) update(ctx context.Context, q querier, id string, row []any) error {
	query := fmt.Sprintf("UPDATE %s SET %s = ? WHERE id = ?", t.name, strings.Join(t.columns, " = ?, "))
	n, err := exec(ctx, q, query, append(append([]any{}, row...), id)...)
	if err == nil && n == 0 {
		return engine.NotFound(string(t.kind), id)
	}
	return err
}

// remove deletes the row that nothing uses, and its secrets.
func (t table) remove(ctx context.Context, q querier, id string) error {
	if err := t.unused(ctx, q, id); err != nil {
		return err
	}
	n, err := exec(ctx, q, "DELETE FROM "+t.name+" WHERE id = ?", id)
	if err == nil && n == 0 {
		return engine.NotFound(string(t.kind), id)
	}
	if err != nil {
		return err
	}
	return deleteSecrets(ctx, q, t.kind, id)
}

// has reports whether the row is there.
func (t table) has(ctx context.Context, q querier, id string) (bool, error) {
	n, err := one(ctx, q, errNoRow, scanInt, "SELECT COUNT(*) FROM "+t.name+" WHERE id = ?", id)
	return n > 0, err
}

// parent requires that the row a field refers to is there.
func (t table) parent(ctx context.Context, q querier, field, id string) error {
	found, err := t.has(ctx, q, id)
	if err == nil && !found {
		return engine.Invalid(field, "no %s has the id %q", t.kind, id)
	}
	return err
}

// Confirm marks the object as known to its caller: another create of its id is
// ErrExists from now on. An absent object is ErrNotFound.
func (s Queries) Confirm(ctx context.Context, kind engine.Kind, id string) error {
	t, ok := tables[kind]
	if !ok {
		return engine.Invalid("kind", "%q is not a kind of object", kind)
	}
	return s.run.write(ctx, func(q querier) error {
		n, err := exec(ctx, q, "UPDATE "+t.name+" SET confirmed = TRUE WHERE id = ?", id)
		if err == nil && n == 0 {
			return engine.NotFound(string(kind), id)
		}
		return err
	})
}

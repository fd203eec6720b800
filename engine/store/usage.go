package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// namedUsers is how many users of an object an error names.
const namedUsers = 5

// reference is a column of another table that keeps an object from being deleted.
type reference struct {
	kind   engine.Kind // what refers to it
	column string
}

// references tells what can use an object of each kind.
var references = map[engine.Kind][]reference{
	engine.KindTeam: {
		{engine.KindEnvironment, "team_id"}, {engine.KindProduct, "team_id"},
		{engine.KindRegistry, "team_id"}, {engine.KindNode, "team_id"},
	},
	engine.KindNode:        {{engine.KindDeployment, "node_id"}, {engine.KindEnvironment, "node_id"}},
	engine.KindProduct:     {{engine.KindDeployment, "product_id"}, {engine.KindVersion, "product_id"}},
	engine.KindEnvironment: {{engine.KindDeployment, "environment_id"}},
}

// unused is nil, or ErrConflict that names what uses the object.
func (t table) unused(ctx context.Context, q querier, id string) error {
	var users []string
	total := 0
	for _, r := range references[t.kind] {
		from := tables[r.kind].name
		found, err := all(ctx, q, scanString, fmt.Sprintf("SELECT id FROM %s WHERE %s = ? ORDER BY id", from, r.column), id)
		if err != nil {
			return err
		}
		total += len(found)
		for _, user := range found {
			if len(users) < namedUsers {
				users = append(users, fmt.Sprintf("%s %s", r.kind, user))
			}
		}
	}
	if total == 0 {
		return nil
	}
	names := strings.Join(users, ", ")
	if more := total - len(users); more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	first := strings.Replace(users[0], " ", ".it ", 1)
	return engine.Conflict(fmt.Sprintf("%s %q is in use by %s", t.kind, id, names),
		fmt.Sprintf("delete these first; one that this configuration lacks belongs to another one, or is from a run that was killed: "+
			"\"import slipway_%s\" brings it here", first))
}

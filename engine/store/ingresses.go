package store

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Ingress is the proxy that the engine runs on a node.
type Ingress struct {
	NodeID  string
	Attempt int    // newest revision that was begun, from 1
	Serving int    // revision that serves, 0 = none yet
	Config  []byte // of what serves; the store does not look inside
	Token   []byte // sealed
}

// Ingress reads a node's ingress.
func (s Queries) Ingress(ctx context.Context, nodeID string) (Ingress, error) {
	return one(ctx, s.run.read(), engine.NotFound("ingress", nodeID), func(s scanner) (i Ingress, err error) {
		var config string
		err = s.Scan(&i.NodeID, &i.Attempt, &i.Serving, &config, &i.Token)
		i.Config = []byte(config)
		return i, err
	}, "SELECT node_id, attempt, serving, config, token FROM ingresses WHERE node_id = ?", nodeID)
}

// PutIngress keeps a node's ingress, instead of what it was.
func (s Queries) PutIngress(ctx context.Context, i Ingress) error {
	return s.run.write(ctx, func(q querier) error {
		if err := nodes.parent(ctx, q, "node_id", i.NodeID); err != nil {
			return err
		}
		_, err := exec(ctx, q, `INSERT INTO ingresses (node_id, attempt, serving, config, token) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (node_id) DO UPDATE SET attempt = excluded.attempt, serving = excluded.serving, config = excluded.config, token = excluded.token`,
			i.NodeID, i.Attempt, i.Serving, string(i.Config), i.Token)
		return err
	})
}

// DeleteIngress forgets a node's ingress; one that is not there is no error.
func (s Queries) DeleteIngress(ctx context.Context, nodeID string) error {
	return s.run.write(ctx, func(q querier) error {
		_, err := exec(ctx, q, "DELETE FROM ingresses WHERE node_id = ?", nodeID)
		return err
	})
}

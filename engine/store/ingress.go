package store

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// PutIngressPart keeps what a deployment has in its node's ingress, instead of
// what it had.
func (s Queries) PutIngressPart(ctx context.Context, deploymentID string, part []byte) error {
	return s.run.write(ctx, func(q querier) error {
		if err := deployments.parent(ctx, q, "deployment_id", deploymentID); err != nil {
			return err
		}
		_, err := exec(ctx, q, `INSERT INTO ingress_parts (deployment_id, part) VALUES (?, ?)
			ON CONFLICT (deployment_id) DO UPDATE SET part = excluded.part`, deploymentID, string(part))
		return err
	})
}

// DeleteIngressPart takes a deployment out of its node's ingress; one that is not
// in it is no error.
func (s Queries) DeleteIngressPart(ctx context.Context, deploymentID string) error {
	return s.run.write(ctx, func(q querier) error {
		_, err := exec(ctx, q, "DELETE FROM ingress_parts WHERE deployment_id = ?", deploymentID)
		return err
	})
}

// IngressParts reads all that a node's ingress has, ordered by deployment.
func (s Queries) IngressParts(ctx context.Context, nodeID string) ([]IngressPart, error) {
	return all(ctx, s.run.read(), func(s scanner) (p IngressPart, err error) {
		var text string
		err = s.Scan(&p.DeploymentID, &text)
		p.Part = []byte(text)
		return p, err
	}, `SELECT p.deployment_id, p.part FROM ingress_parts p JOIN deployments d ON d.id = p.deployment_id
		WHERE d.node_id = ? ORDER BY p.deployment_id`, nodeID)
}

// ClaimPlaces makes exactly those places of the node's ingress the deployment's
// own. One that another deployment has is ErrConflict naming it, and nothing
// changes then.
func (s Queries) ClaimPlaces(ctx context.Context, deploymentID string, claims []catalog.Claim) error {
	return s.run.write(ctx, func(q querier) error {
		nodeID, err := one(ctx, q, engine.NotFound("deployment", deploymentID), scanString, "SELECT node_id FROM deployments WHERE id = ?", deploymentID)
		if err != nil {
			return err
		}
		taken, err := all(ctx, q, scanClaim, selectClaims, nodeID)
		if err != nil {
			return err
		}
		if err := checkPlaces(nodeID, deploymentID, taken, claims); err != nil {
			return err
		}
		if _, err := exec(ctx, q, "DELETE FROM ingress_claims WHERE deployment_id = ?", deploymentID); err != nil {
			return err
		}
		for _, c := range claims {
			_, err := exec(ctx, q, "INSERT INTO ingress_claims (node_id, place, deployment_id, component, route) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
				nodeID, c.Place, deploymentID, c.Component, c.Route)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func checkPlaces(nodeID, deploymentID string, taken []IngressClaim, claims []catalog.Claim) error {
	owners := catalog.PlaceOwners{}
	for _, t := range taken {
		if t.DeploymentID != deploymentID {
			owners.Add(t.DeploymentID, t.Claim)
		}
	}
	return owners.Check(nodeID, claims)
}

const selectClaims = "SELECT place, component, route, deployment_id FROM ingress_claims WHERE node_id = ? ORDER BY place"

func scanClaim(s scanner) (c IngressClaim, err error) {
	return c, s.Scan(&c.Place, &c.Component, &c.Route, &c.DeploymentID)
}

// IngressClaims reads who has which place on a node's ingress, ordered by place.
func (s Queries) IngressClaims(ctx context.Context, nodeID string) ([]IngressClaim, error) {
	return all(ctx, s.run.read(), scanClaim, selectClaims, nodeID)
}

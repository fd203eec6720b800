package store

import (
	"context"
	"fmt"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

var deployments = table{engine.KindDeployment, "deployments", []string{
	"environment_id", "node_id", "product_id", "prefix", "version", "version_id", "desired_state", "variables", "components",
	"strategy", "restore_data", "restart_trigger", "deletion_protection", "secrets_version", "keep_snapshots",
}}

func deploymentRow(d DeploymentRecord) ([]any, error) {
	versionID, _, err := engine.SplitRef(d.Version)
	if err != nil {
		return nil, err
	}
	return []any{
		d.EnvironmentID, d.NodeID, d.ProductID, d.Prefix, d.Version, versionID, d.DesiredState, jsonColumn{d.Variables}, jsonColumn{d.Components},
		jsonColumn{d.Strategy}, d.RestoreData, d.RestartTrigger, d.DeletionProtection, d.SecretsVersion, d.KeepSnapshots,
	}, nil
}

// selectDeployments joins the newest revision, the serving one, and the one
// that served another content before it.
const selectDeployments = `SELECT d.id, d.environment_id, d.node_id, d.product_id, d.prefix, d.version, d.desired_state, d.variables, d.components,
	d.strategy, d.restore_data, d.restart_trigger, d.deletion_protection, d.secrets_version, d.keep_snapshots, d.serving_revision, d.held, d.confirmed, d.created_at,
	COALESCE(n.number, 0), COALESCE(n.status, ''), COALESCE(n.operation_id, ''),
	COALESCE(s.version, ''), COALESCE(s.changes, 'null'), COALESCE(p.version_ref, ''), e.promotes_from_id
	FROM deployments d
	JOIN environments e ON e.id = d.environment_id
	LEFT JOIN revisions n ON n.deployment_id = d.id AND n.number = (SELECT MAX(number) FROM revisions WHERE deployment_id = d.id)
	LEFT JOIN revisions s ON s.deployment_id = d.id AND s.number = d.serving_revision
	LEFT JOIN revisions p ON p.deployment_id = d.id AND p.number = (SELECT MAX(x.number) FROM revisions x WHERE x.deployment_id = d.id
		AND x.number < s.number AND x.version_ref <> s.version_ref AND x.status IN ('obsolete', 'downgraded'))`

func scanDeployment(s scanner) (d DeploymentRecord, err error) {
	o := &d.Observed
	err = s.Scan(&d.ID, &d.EnvironmentID, &d.NodeID, &d.ProductID, &d.Prefix, &d.Version, &d.DesiredState, jsonColumn{&d.Variables}, jsonColumn{&d.Components},
		jsonColumn{&d.Strategy}, &d.RestoreData, &d.RestartTrigger, &d.DeletionProtection, &d.SecretsVersion, &d.KeepSnapshots, &d.Serving, &d.Held, &d.Confirmed, nanos{&d.CreatedAt},
		&o.Revision, &o.Status, &o.OperationID, &o.ServingVersion, jsonColumn{&o.Changes}, &o.PreviousVersion, &d.PromotesFromID)
	o.NodeID = d.NodeID
	return d, err
}

// CreateDeployment makes the deployment, which then holds its prefix on its
// node, or adopts one that was never confirmed with its revisions. A prefix that
// another deployment holds is ErrConflict naming it.
func (s Queries) CreateDeployment(ctx context.Context, d DeploymentRecord) (DeploymentRecord, error) {
	now := s.run.now()
	err := s.run.write(ctx, func(q querier) error {
		row, err := checkedRow(ctx, q, d)
		if err != nil {
			return err
		}
		return deployments.create(ctx, q, nanos{&now}, d.ID, row)
	})
	if err != nil {
		return DeploymentRecord{}, err
	}
	return s.Deployment(ctx, d.ID)
}

// Deployment reads one deployment.
func (s Queries) Deployment(ctx context.Context, id string) (DeploymentRecord, error) {
	d, err := one(ctx, s.run.read(), engine.NotFound("deployment", id), scanDeployment, selectDeployments+" WHERE d.id = ?", id)
	if err != nil {
		return DeploymentRecord{}, err
	}
	d.Observed.SecretNames, err = s.SecretNames(ctx, engine.KindDeployment, id)
	return d, err
}

// UpdateDeployment changes what is wanted of a deployment; its revisions,
// Serving and Held stay.
func (s Queries) UpdateDeployment(ctx context.Context, d DeploymentRecord) (DeploymentRecord, error) {
	err := s.run.write(ctx, func(q querier) error {
		row, err := checkedRow(ctx, q, d)
		if err != nil {
			return err
		}
		return deployments.update(ctx, q, d.ID, row)
	})
	if err != nil {
		return DeploymentRecord{}, err
	}
	return s.Deployment(ctx, d.ID)
}

// DeleteDeployment deletes a deployment with its revisions and secrets. Its
// operations stay. While a revision is in progress it is ErrConflict.
func (s Queries) DeleteDeployment(ctx context.Context, id string) error {
	now := s.run.now()
	return s.run.write(ctx, func(q querier) error {
		running, err := all(ctx, q, scanInt, "SELECT number FROM revisions WHERE deployment_id = ? AND status = 'in_progress'", id)
		if err != nil {
			return err
		}
		if len(running) > 0 {
			return engine.Conflict(fmt.Sprintf("revision %d of deployment %q is in progress", running[0], id), "wait until it has finished")
		}
		if err := endServing(ctx, q, id, now); err != nil {
			return err
		}
		return deployments.remove(ctx, q, id)
	})
}

// HoldPrefix sets whether the deployment holds its prefix on its node. Taking
// one that another deployment holds is ErrConflict naming it.
func (s Queries) HoldPrefix(ctx context.Context, id string, held bool) error {
	return s.run.write(ctx, func(q querier) error {
		d, err := one(ctx, q, engine.NotFound("deployment", id), scanDeployment, selectDeployments+" WHERE d.id = ?", id)
		if err == nil && held {
			err = checkPrefix(ctx, q, d)
		}
		if err == nil {
			_, err = exec(ctx, q, "UPDATE deployments SET held = ? WHERE id = ?", held, id)
		}
		return err
	})
}

// PrefixOwner is the id of the deployment that holds the prefix on the node, "" when none does.
func (s Queries) PrefixOwner(ctx context.Context, nodeID, prefix string) (string, error) {
	return prefixOwner(ctx, s.run.read(), nodeID, prefix)
}

// ListDeployments reads the deployments that the filter selects, ordered by
// id. Version selects by the wanted version, with or without its digest, Status
// by that of the newest revision.
func (s Queries) ListDeployments(ctx context.Context, f engine.DeploymentFilter) ([]DeploymentRecord, error) {
	return s.listDeployments(ctx, `
		WHERE ? IN ('', e.team_id) AND ? IN ('', d.environment_id) AND ? IN ('', d.product_id)
		AND ? IN ('', d.version, d.version_id) AND ? IN ('', COALESCE(n.status, '')) ORDER BY d.id`,
		f.TeamID, f.EnvironmentID, f.ProductID, f.Version, f.Status)
}

// ListDeploymentsByNode reads the deployments on a node, ordered by id.
func (s Queries) ListDeploymentsByNode(ctx context.Context, nodeID string) ([]DeploymentRecord, error) {
	return s.listDeployments(ctx, " WHERE d.node_id = ? ORDER BY d.id", nodeID)
}

func (s Queries) listDeployments(ctx context.Context, where string, args ...any) ([]DeploymentRecord, error) {
	list, err := all(ctx, s.run.read(), scanDeployment, selectDeployments+where, args...)
	if err != nil {
		return nil, err
	}
	names, err := secretNamesByOwner(ctx, s.run.read(), engine.KindDeployment)
	for i := range list {
		list[i].Observed.SecretNames = names[list[i].ID]
	}
	return list, err
}

// checkedRow is the row of a deployment whose parents exist and whose prefix is free.
func checkedRow(ctx context.Context, q querier, d DeploymentRecord) ([]any, error) {
	if err := environments.parent(ctx, q, "environment_id", d.EnvironmentID); err != nil {
		return nil, err
	}
	if err := nodes.parent(ctx, q, "node_id", d.NodeID); err != nil {
		return nil, err
	}
	if err := products.parent(ctx, q, "version", d.ProductID); err != nil {
		return nil, err
	}
	if err := checkPrefix(ctx, q, d); err != nil {
		return nil, err
	}
	return deploymentRow(d)
}

func checkPrefix(ctx context.Context, q querier, d DeploymentRecord) error {
	owner, err := prefixOwner(ctx, q, d.NodeID, d.Prefix)
	if err == nil && owner != "" && owner != d.ID {
		return &engine.Error{
			Class: engine.ErrConflict, Field: "prefix",
			Reason: fmt.Sprintf("prefix %q on node %q belongs to deployment %q", d.Prefix, d.NodeID, owner),
			Hint:   "choose another prefix, or an environment on another node",
		}
	}
	return err
}

func prefixOwner(ctx context.Context, q querier, nodeID, prefix string) (string, error) {
	owners, err := all(ctx, q, scanString, "SELECT id FROM deployments WHERE node_id = ? AND prefix = ? AND held", nodeID, prefix)
	if err != nil || len(owners) == 0 {
		return "", err
	}
	return owners[0], nil
}

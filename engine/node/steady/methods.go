package steady

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// result turns a call that answers something into one that insist and attend take.
func result[T any](ctx context.Context, how func(context.Context, func(context.Context) error) error, call func(context.Context) (T, error)) (answer T, err error) {
	err = how(ctx, func(ctx context.Context) (err error) {
		answer, err = call(ctx)
		return err
	})
	return answer, err
}

// Calls that wait for a node that is away.

// Info implements node.Driver.
func (d *Driver) Info(ctx context.Context) (node.Info, error) { return result(ctx, d.insist, d.ask) }

// List implements node.Driver.
func (d *Driver) List(ctx context.Context) ([]node.Instance, error) {
	return result(ctx, d.insist, d.Driver.List)
}

// Observe implements node.Driver.
func (d *Driver) Observe(ctx context.Context, deployment string) (node.Observation, error) {
	return result(ctx, d.insist, func(ctx context.Context) (node.Observation, error) { return d.Driver.Observe(ctx, deployment) })
}

// Has implements node.Driver.
func (d *Driver) Has(ctx context.Context, image node.Image) (bool, error) {
	return result(ctx, d.insist, func(ctx context.Context) (bool, error) { return d.Driver.Has(ctx, image) })
}

// Pull implements node.Driver.
func (d *Driver) Pull(ctx context.Context, image node.Image) error {
	return d.insist(ctx, func(ctx context.Context) error { return d.Driver.Pull(ctx, image) })
}

// HealthCheck implements node.Driver.
func (d *Driver) HealthCheck(ctx context.Context, image node.Image) (*engine.HealthCheck, error) {
	return result(ctx, d.insist, func(ctx context.Context) (*engine.HealthCheck, error) { return d.Driver.HealthCheck(ctx, image) })
}

// Preflight implements node.Driver.
func (d *Driver) Preflight(ctx context.Context, deployment string, specs []node.Spec) error {
	return d.insist(ctx, func(ctx context.Context) error { return d.Driver.Preflight(ctx, deployment, specs) })
}

// Admit implements node.Driver.
func (d *Driver) Admit(ctx context.Context, guest, deployment string, doors []node.Door) ([]string, error) {
	return result(ctx, d.insist, func(ctx context.Context) ([]string, error) { return d.Driver.Admit(ctx, guest, deployment, doors) })
}

// Create implements node.Driver.
func (d *Driver) Create(ctx context.Context, spec node.Spec) error {
	return d.insist(ctx, func(ctx context.Context) error { return d.Driver.Create(ctx, spec) })
}

// Start implements node.Driver.
func (d *Driver) Start(ctx context.Context, key node.Key, secrets node.Secrets) error {
	return d.insist(ctx, func(ctx context.Context) error { return d.Driver.Start(ctx, key, secrets) })
}

// Stop implements node.Driver.
func (d *Driver) Stop(ctx context.Context, key node.Key) error {
	return d.insist(ctx, func(ctx context.Context) error { return d.Driver.Stop(ctx, key) })
}

// Remove implements node.Driver.
func (d *Driver) Remove(ctx context.Context, key node.Key) error {
	return d.insist(ctx, func(ctx context.Context) error { return d.Driver.Remove(ctx, key) })
}

// Route implements node.Driver.
func (d *Driver) Route(ctx context.Context, deployment string, routes []node.Route) (map[string]engine.Endpoint, error) {
	return result(ctx, d.insist, func(ctx context.Context) (map[string]engine.Endpoint, error) {
		return d.Driver.Route(ctx, deployment, routes)
	})
}

// Routes implements node.Driver.
func (d *Driver) Routes(ctx context.Context, deployment string) (routes []node.Route, endpoints map[string]engine.Endpoint, err error) {
	err = d.insist(ctx, func(ctx context.Context) (err error) {
		routes, endpoints, err = d.Driver.Routes(ctx, deployment)
		return err
	})
	return routes, endpoints, err
}

// RemoveDeployment implements node.Driver.
func (d *Driver) RemoveDeployment(ctx context.Context, deployment string, volumes []string) error {
	return d.insist(ctx, func(ctx context.Context) error { return d.Driver.RemoveDeployment(ctx, deployment, volumes) })
}

// Volumes implements node.Driver.
func (d *Driver) Volumes(ctx context.Context, deployment string) ([]string, error) {
	return result(ctx, d.insist, func(ctx context.Context) ([]string, error) { return d.Driver.Volumes(ctx, deployment) })
}

// SnapshotVolume implements node.Driver.
func (d *Driver) SnapshotVolume(ctx context.Context, s node.Snapshot, image node.Image) (int64, error) {
	return result(ctx, d.insist, func(ctx context.Context) (int64, error) { return d.Driver.SnapshotVolume(ctx, s, image) })
}

// RestoreVolume implements node.Driver.
func (d *Driver) RestoreVolume(ctx context.Context, s node.Snapshot, image node.Image) error {
	return d.insist(ctx, func(ctx context.Context) error { return d.Driver.RestoreVolume(ctx, s, image) })
}

// Snapshots implements node.Driver.
func (d *Driver) Snapshots(ctx context.Context, deployment string) ([]node.Snapshot, error) {
	return result(ctx, d.insist, func(ctx context.Context) ([]node.Snapshot, error) { return d.Driver.Snapshots(ctx, deployment) })
}

// Calls that end when the node hangs, and wait for nothing.

// PruneSnapshots implements node.Driver.
func (d *Driver) PruneSnapshots(ctx context.Context, deployment string, keep []node.Snapshot) error {
	return d.attend(ctx, func(ctx context.Context) error { return d.Driver.PruneSnapshots(ctx, deployment, keep) })
}

// Prune implements node.Driver.
func (d *Driver) Prune(ctx context.Context, keep []string) error {
	return d.attend(ctx, func(ctx context.Context) error { return d.Driver.Prune(ctx, keep) })
}

// Inspect implements node.Driver.
func (d *Driver) Inspect(ctx context.Context, key node.Key) (node.Instance, error) {
	return result(ctx, d.attend, func(ctx context.Context) (node.Instance, error) { return d.Driver.Inspect(ctx, key) })
}

// Exec implements node.Driver.
func (d *Driver) Exec(ctx context.Context, key node.Key, command []string) (node.ExecResult, error) {
	return result(ctx, d.attend, func(ctx context.Context) (node.ExecResult, error) { return d.Driver.Exec(ctx, key, command) })
}

// Logs implements node.Driver.
func (d *Driver) Logs(ctx context.Context, key node.Key, lines int) ([]string, error) {
	return result(ctx, d.attend, func(ctx context.Context) ([]string, error) { return d.Driver.Logs(ctx, key, lines) })
}

// Drain implements node.Driver.
func (d *Driver) Drain(ctx context.Context, key node.Key) error {
	return d.attend(ctx, func(ctx context.Context) error { return d.Driver.Drain(ctx, key) })
}

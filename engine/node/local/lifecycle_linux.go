package local

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/cgroup"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/logfile"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// keepLogs is how long the output of a removed instance stays (node.Driver).
const keepLogs = 24 * time.Hour

// Start implements node.Driver.
func (d *Driver) Start(ctx context.Context, key node.Key, secrets node.Secrets) error {
	if _, err := d.Inspect(ctx, key); err != nil {
		return err
	}
	return d.call(ctx, d.sandbox(key.Deployment), control.Request{Op: control.OpStart, Instance: key.Name, Secrets: secrets})
}

// Stop implements node.Driver.
func (d *Driver) Stop(ctx context.Context, key node.Key) error {
	return d.withInstance(ctx, key, control.OpStop, func(in state.Instance) error {
		status, err := state.ReadStatus(in)
		if errors.Is(err, os.ErrNotExist) {
			return engine.NotFound("instance", key.Name)
		}
		if status.Wanted == engine.StateRunning || err != nil {
			status.State = node.Exited
		}
		status.Wanted = engine.StateStopped
		return state.WriteStatus(in, status)
	})
}

// Remove implements node.Driver.
func (d *Driver) Remove(ctx context.Context, key node.Key) error {
	s := d.sandbox(key.Deployment)
	err := d.withInstance(ctx, key, control.OpRemove, func(in state.Instance) error { return state.RemoveAll(in.Dir) })
	return errors.Join(err, d.purgeLogs(s))
}

// withInstance lets the supervisor do the operation, or, where none lives, does it
// on disk: then nothing of the deployment runs.
func (d *Driver) withInstance(ctx context.Context, key node.Key, op control.Op, onDisk func(state.Instance) error) error {
	if err := state.CheckName(key.Name); err != nil {
		return err
	}
	s := d.sandbox(key.Deployment)
	for try := 0; ; try++ {
		if state.Alive(s) {
			_, _, err := control.Call(ctx, s.Socket(), control.Request{Op: op, Instance: key.Name})
			if errors.Is(err, engine.ErrUnavailable) && try == 0 && !state.Alive(s) {
				continue // it ended meanwhile
			}
			return err
		}
		done := false
		err := d.withLock(ctx, s, func() error {
			if state.Alive(s) {
				return nil
			}
			done = true
			if err := d.awaitEnd(ctx, s); err != nil {
				return err
			}
			return onDisk(s.Instance(key.Name))
		})
		if done || err != nil {
			return err
		}
	}
}

// purgeLogs removes the output of instances that are gone for a day.
func (d *Driver) purgeLogs(s state.Sandbox) error {
	logs, err := filepath.Glob(filepath.Join(s.Logs(), "*.log"))
	if err != nil {
		return err
	}
	for _, path := range logs {
		name := strings.TrimSuffix(filepath.Base(path), ".log")
		if _, err := os.Stat(s.Instance(name).Dir); err == nil || !logfile.OlderThan(path, d.now().Add(-keepLogs)) {
			continue
		}
		if err := logfile.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// RemoveDeployment implements node.Driver.
func (d *Driver) RemoveDeployment(ctx context.Context, deployment string, volumes []string) error {
	s := d.sandbox(deployment)
	return d.withLock(ctx, s, func() error {
		if err := d.shutdown(ctx, s); err != nil {
			return err
		}
		groups, err := state.ReadCgroups(s)
		if err == nil {
			cgroup.Remove(groups) // where the supervisor was killed
		}
		// And where somebody removed the directory that said so.
		cgroup.Find().RemoveBelow(path.Join(cgroup.Top, s.ID()))
		cgroup.RemoveKeepers()
		if err := errors.Join(state.RemoveAll(s.Dir), d.removeDoors(s), state.RemoveAll(d.root.Snapshots(deployment))); err != nil {
			return err
		}
		return d.removeVolumes(deployment, volumes)
	})
}

func (d *Driver) removeVolumes(deployment string, volumes []string) error {
	for _, name := range volumes {
		component, volume, ok := strings.Cut(name, "/")
		if !ok || strings.Contains(volume, "/") {
			return engine.Invalid("volumes", "%q is not component/volume", name)
		}
		dir := d.root.Volume(deployment, component, volume)
		copied, complete := state.Filling(dir)
		for _, path := range []string{copied, complete, dir} {
			if err := state.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	_ = os.Remove(d.root.Volumes(deployment)) // unless volumes are kept there
	return nil
}

// Volumes implements node.Driver.
func (d *Driver) Volumes(_ context.Context, deployment string) ([]string, error) {
	entries, err := os.ReadDir(d.root.Volumes(deployment))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var all []string
	for _, e := range entries {
		if component, volume, ok := strings.Cut(e.Name(), "."); ok && component != "" {
			all = append(all, component+"/"+volume)
		}
	}
	return all, err
}

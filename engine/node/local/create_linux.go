package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// Create implements node.Driver: the instance is a directory that says what it is.
// Writing that is the last step, so a half-made one is not an instance.
func (d *Driver) Create(ctx context.Context, spec node.Spec) error {
	if err := state.CheckName(spec.Key.Name); err != nil {
		return err
	}
	found, err := d.image(spec.Image)
	if err != nil {
		return err
	}
	s := d.sandbox(spec.Key.Deployment)
	return d.withLock(ctx, s, func() error {
		if err := d.makeSandbox(s, spec.Key.Deployment); err != nil {
			return err
		}
		if err := d.makeVolumes(spec); err != nil {
			return err
		}
		if err := sweep(s); err != nil {
			return err
		}
		in := s.Instance(spec.Key.Name)
		if _, err := os.Stat(in.RecordFile()); err == nil {
			return nil
		}
		if err := os.MkdirAll(in.Dir, 0o755); err != nil {
			return err
		}
		c := found.Config
		return state.WriteRecord(in, state.Record{Spec: spec, Image: state.Image{
			Layers: found.Layers, Entrypoint: c.Entrypoint, Cmd: c.Cmd, Env: c.Env, User: c.User,
			WorkingDir: c.WorkingDir, StopSignal: c.StopSignal, HealthCheck: c.HealthCheck,
		}})
	})
}

func (d *Driver) makeSandbox(s state.Sandbox, deployment string) error {
	for _, dir := range []string{s.Instances(), s.Logs(), s.Guests()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(s.Guests(), 0o755); err != nil { // any user of an instance looks into it
		return err
	}
	label, err := state.ReadLabel(s)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return state.WriteLabel(s, state.Label{Engine: d.EngineID, Deployment: deployment, Root: d.Root})
	case err != nil:
		return err
	case label.Deployment != deployment || label.Engine != d.EngineID:
		return engine.Conflict(fmt.Sprintf("the directory %s belongs to deployment %s", s.Dir, label.Deployment), "give the node another root")
	}
	return nil
}

// sweep removes the directories of instances that somebody was killed while
// making or removing: those that do not say what they are. The caller holds the
// lock, so none of them is being made now.
func sweep(s state.Sandbox) error {
	names, err := s.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		in := s.Instance(name)
		if _, err := os.Stat(in.RecordFile()); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := state.RemoveAll(in.Dir); err != nil {
			return fmt.Errorf("removing what is left of instance %s: %w", name, err)
		}
	}
	return nil
}

func (d *Driver) makeVolumes(spec node.Spec) error {
	for name := range spec.Component.Volumes {
		dir := d.root.Volume(spec.Key.Deployment, spec.Labels.Component, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

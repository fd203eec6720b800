package fake

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// migrate does what WritesVariable says.
func (d *driver) migrate(spec node.Spec) {
	volume, text, _ := strings.Cut(spec.Env[WritesVariable], " ")
	volumes := d.node.volumes[spec.Key.Deployment]
	if text != "" && !strings.HasSuffix(volumes[volume], " "+text) {
		volumes[volume] += " " + text
	}
}

// Content is what a volume holds.
func (n *Node) Content(deployment, volume string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.volumes[deployment][volume]
}

// Snapshots tells what every snapshot holds, by volume@name.
func (n *Node) Snapshots() map[string]string {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := map[string]string{}
	for s, content := range n.snapshots {
		all[s.Volume+"@"+s.Name] = content
	}
	return all
}

func (d *driver) SnapshotVolume(ctx context.Context, s node.Snapshot, _ node.Image) (int64, error) {
	leave, err := d.node.enter(ctx, "snapshot", s.Volume)
	if err != nil {
		return 0, err
	}
	defer leave()
	if err := d.quietVolume(s); err != nil {
		return 0, err
	}
	content, whole := d.node.snapshots[s]
	if !whole {
		content = d.node.volumes[s.Deployment][s.Volume]
		d.node.snapshots[s] = content
	}
	return int64(len(content)), nil
}

func (d *driver) RestoreVolume(ctx context.Context, s node.Snapshot, _ node.Image) error {
	leave, err := d.node.enter(ctx, "restore", s.Volume)
	if err != nil {
		return err
	}
	defer leave()
	content, there := d.node.snapshots[s]
	if !there {
		return engine.NotFound("snapshot", s.Name)
	}
	if err := d.quietVolume(s); err != nil {
		return err
	}
	d.node.volumes[s.Deployment][s.Volume] = content
	return nil
}

// quietVolume demands that the volume exists and nothing that has it runs.
func (d *driver) quietVolume(s node.Snapshot) error {
	if _, there := d.node.volumes[s.Deployment][s.Volume]; !there {
		return engine.NotFound("volume", s.Volume)
	}
	component, name, _ := strings.Cut(s.Volume, "/")
	for _, i := range d.node.instances {
		_, mounts := i.spec.Component.Volumes[name]
		if i.spec.Key.Deployment == s.Deployment && i.spec.Labels.Component == component && mounts && i.state.State == node.Running {
			return fmt.Errorf("%s has the volume %s and runs", i.spec.Key.Name, s.Volume)
		}
	}
	return nil
}

func (d *driver) Snapshots(ctx context.Context, deployment string) ([]node.Snapshot, error) {
	if err := d.quiet(ctx, "snapshots", deployment); err != nil {
		return nil, err
	}
	d.node.mu.Lock()
	defer d.node.mu.Unlock()
	var all []node.Snapshot
	for s := range d.node.snapshots {
		if s.Deployment == deployment {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b node.Snapshot) int {
		return cmp.Or(cmp.Compare(a.Volume, b.Volume), cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}

func (d *driver) PruneSnapshots(ctx context.Context, deployment string, keep []node.Snapshot) error {
	leave, err := d.node.enter(ctx, "prune-snapshots", deployment)
	if err != nil {
		return err
	}
	defer leave()
	for s := range d.node.snapshots {
		if s.Deployment == deployment && !slices.Contains(keep, s) {
			delete(d.node.snapshots, s)
		}
	}
	return nil
}

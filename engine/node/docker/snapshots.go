package docker

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/volume"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// A snapshot is two Docker volumes: one with the data, and an empty one that is made
// once the data is whole.
const (
	labelSnapshot   = labelPrefix + "snapshot"    // the snapshot's name
	labelSnapshotOf = labelPrefix + "snapshot-of" // component/volume
	labelBytes      = labelPrefix + "bytes"       // of the files; only the empty volume has it

	wholeSuffix = ".whole"
)

// snapshotName is that of the volume with the data; no volume of a component has a
// dot in its name.
func snapshotName(s node.Snapshot) string {
	return volumeName(s.Deployment, s.Volume) + "." + s.Name
}

// SnapshotVolume implements node.Driver.
func (d *Driver) SnapshotVolume(ctx context.Context, s node.Snapshot, image node.Image) (int64, error) {
	name := snapshotName(s)
	made, err := d.api.VolumeInspect(ctx, name+wholeSuffix, client.VolumeInspectOptions{})
	if err == nil && d.belongs(made.Volume.Labels, s.Deployment) {
		bytes, err := strconv.ParseInt(made.Volume.Labels[labelBytes], 10, 64)
		return bytes, d.failed("read the label of "+name, err)
	}
	if err != nil && !cerrdefs.IsNotFound(err) {
		return 0, d.failed("look for volume "+name, err)
	}
	source, err := d.plainVolume(ctx, s.Deployment, volumeName(s.Deployment, s.Volume))
	if err != nil {
		return 0, err
	}
	target, err := d.makeSnapshotVolume(ctx, s, name, nil)
	if err != nil {
		return 0, err
	}
	bytes, err := d.copyVolume(ctx, s, source, target, image)
	if err != nil {
		return 0, err
	}
	_, err = d.makeSnapshotVolume(ctx, s, name+wholeSuffix, map[string]string{labelBytes: strconv.FormatInt(bytes, 10)})
	return bytes, err
}

// RestoreVolume implements node.Driver.
func (d *Driver) RestoreVolume(ctx context.Context, s node.Snapshot, image node.Image) error {
	if _, err := d.plainVolume(ctx, s.Deployment, snapshotName(s)+wholeSuffix); err != nil {
		return err
	}
	source, err := d.plainVolume(ctx, s.Deployment, snapshotName(s))
	if err != nil {
		return err
	}
	target, err := d.plainVolume(ctx, s.Deployment, volumeName(s.Deployment, s.Volume))
	if err != nil {
		return err
	}
	_, err = d.copyVolume(ctx, s, source, target, image)
	return err
}

// Snapshots implements node.Driver.
func (d *Driver) Snapshots(ctx context.Context, deployment string) ([]node.Snapshot, error) {
	list, err := d.snapshotVolumes(ctx, deployment)
	var all []node.Snapshot
	for _, v := range list {
		if v.Labels[labelBytes] != "" {
			all = append(all, snapshotOf(v))
		}
	}
	slices.SortFunc(all, func(a, b node.Snapshot) int {
		return cmp.Or(cmp.Compare(a.Volume, b.Volume), cmp.Compare(a.Name, b.Name))
	})
	return all, err
}

// PruneSnapshots implements node.Driver. What says that a snapshot is whole goes first.
func (d *Driver) PruneSnapshots(ctx context.Context, deployment string, keep []node.Snapshot) error {
	list, err := d.snapshotVolumes(ctx, deployment)
	if err != nil {
		return err
	}
	whole := map[node.Snapshot]bool{}
	for _, v := range list {
		whole[snapshotOf(v)] = whole[snapshotOf(v)] || v.Labels[labelBytes] != ""
	}
	slices.SortFunc(list, func(a, b volume.Volume) int { return -cmp.Compare(a.Labels[labelBytes], b.Labels[labelBytes]) })
	for _, v := range list {
		s := snapshotOf(v)
		if whole[s] && slices.Contains(keep, s) {
			continue
		}
		if err := d.removeSnapshotVolume(ctx, s, v.Name); err != nil {
			return err
		}
	}
	return nil
}

// removeSnapshotVolume removes one that a copier may have at this moment.
func (d *Driver) removeSnapshotVolume(ctx context.Context, s node.Snapshot, name string) error {
	for attempt := 1; ; attempt++ {
		if err := d.removeCopiers(ctx, s); err != nil {
			return err
		}
		_, err := d.api.VolumeRemove(ctx, name, client.VolumeRemoveOptions{})
		if !cerrdefs.IsConflict(err) || attempt == updateAttempts {
			return d.failed("remove volume "+name, ignoreGone(err))
		}
		select {
		case <-d.cfg.After(updatePause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (d *Driver) snapshotVolumes(ctx context.Context, deployment string) ([]volume.Volume, error) {
	list, err := d.api.VolumeList(ctx, client.VolumeListOptions{Filters: d.owned(deployment).Add("label", labelSnapshot)})
	if err != nil {
		return nil, d.failed("list volumes", err)
	}
	return list.Items, nil
}

func snapshotOf(v volume.Volume) node.Snapshot {
	return node.Snapshot{Deployment: v.Labels[labelDeployment], Volume: v.Labels[labelSnapshotOf], Name: v.Labels[labelSnapshot]}
}

func (d *Driver) makeSnapshotVolume(ctx context.Context, s node.Snapshot, name string, more map[string]string) (volume.Volume, error) {
	labels := d.ours(s.Deployment)
	labels[labelSnapshot], labels[labelSnapshotOf] = s.Name, s.Volume
	for key, value := range more {
		labels[key] = value
	}
	made, err := d.api.VolumeCreate(ctx, client.VolumeCreateOptions{Name: name, Labels: labels, Driver: engine.DefaultVolumeDriver})
	if err != nil {
		return volume.Volume{}, d.failed("make volume "+name, err)
	}
	if !d.belongs(made.Volume.Labels, s.Deployment) { // it was there
		return volume.Volume{}, foreign("volume", name, made.Volume.Labels)
	}
	return made.Volume, nil
}

// plainVolume is a volume of the deployment that is a directory of the node.
func (d *Driver) plainVolume(ctx context.Context, deployment, name string) (volume.Volume, error) {
	found, err := d.api.VolumeInspect(ctx, name, client.VolumeInspectOptions{})
	if err != nil {
		return volume.Volume{}, d.failed("look for volume "+name, err)
	}
	v := found.Volume
	if !d.belongs(v.Labels, deployment) {
		return v, foreign("volume", name, v.Labels)
	}
	if v.Driver != engine.DefaultVolumeDriver || len(v.Options) > 0 {
		return v, engine.Unsupported("", "the volume "+name+" is not kept on the node's own disk", "leave snapshot out, and use the snapshots of its driver")
	}
	return v, nil
}

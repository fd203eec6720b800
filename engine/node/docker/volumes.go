package docker

import (
	"cmp"
	"context"
	"maps"
	"slices"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// ensureVolumes makes the named volumes of an instance, and answers where those
// that are new will be mounted to be written.
func (d *Driver) ensureVolumes(ctx context.Context, spec node.Spec) ([]string, error) {
	var fresh []string
	for _, short := range slices.Sorted(maps.Keys(spec.Component.Volumes)) {
		full := spec.Labels.Component + "/" + short
		name := volumeName(spec.Key.Deployment, full)
		found, err := d.api.VolumeInspect(ctx, name, client.VolumeInspectOptions{})
		switch {
		case err == nil:
			if !d.belongs(found.Volume.Labels, spec.Key.Deployment) {
				return nil, foreign("volume", name, found.Volume.Labels)
			}
			if err := keptElsewhere(found.Volume, spec.Component.Volumes[short]); err != nil {
				return nil, engine.At("volumes."+short, err)
			}
			continue
		case !cerrdefs.IsNotFound(err):
			return nil, d.failed("look for volume "+name, err)
		}
		labels := d.ours(spec.Key.Deployment)
		labels[labelVolume] = full
		if _, err := d.api.VolumeCreate(ctx, client.VolumeCreateOptions{Name: name, Labels: labels,
			Driver: volumeDriver(spec.Component.Volumes[short]), DriverOpts: spec.Component.Volumes[short].DriverOptions}); err != nil {
			return nil, d.failed("make volume "+name, notInvalid(err))
		}
		if !spec.Component.Volumes[short].ReadOnly {
			fresh = append(fresh, spec.Component.Volumes[short].Path)
		}
	}
	return fresh, nil
}

func volumeDriver(v engine.Volume) string { return cmp.Or(v.Driver, engine.DefaultVolumeDriver) }

// Volumes implements node.Driver.
func (d *Driver) Volumes(ctx context.Context, deployment string) ([]string, error) {
	list, err := d.api.VolumeList(ctx, client.VolumeListOptions{Filters: d.owned(deployment)})
	if err != nil {
		return nil, d.failed("list volumes", err)
	}
	var names []string
	for _, v := range list.Items {
		if full := v.Labels[labelVolume]; full != "" {
			names = append(names, full)
		}
	}
	slices.Sort(names)
	return names, nil
}

// removeVolumes removes those named component/volume, and the files of instances.
func (d *Driver) removeVolumes(ctx context.Context, deployment string, wanted []string) error {
	list, err := d.api.VolumeList(ctx, client.VolumeListOptions{Filters: d.owned(deployment)})
	if err != nil {
		return d.failed("list volumes", err)
	}
	for _, v := range list.Items {
		full := v.Labels[labelVolume]
		if full != "" && !slices.Contains(wanted, full) {
			continue
		}
		if _, err := d.api.VolumeRemove(ctx, v.Name, client.VolumeRemoveOptions{}); ignoreGone(err) != nil {
			return d.failed("remove volume "+v.Name, err)
		}
	}
	return nil
}

package docker

import (
	"context"
	"errors"
	"path"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
)

// filesSuffix is behind the container's name in the name of its volume of files.
const filesSuffix = ".files"

// filesDir is where the helper sees that volume.
const filesDir = "/slipway-files"

// prepareReadOnly puts the files of a container with a read-only root, which
// nothing can be copied into, into a volume of its own and mounts each at its
// path. It reports whether it did.
func (d *Driver) prepareReadOnly(ctx context.Context, name string, made *creation, files []file) (bool, error) {
	if !made.host.ReadonlyRootfs || len(files) == 0 {
		return false, nil
	}
	labels := d.ours(made.config.Labels[labelDeployment])
	labels[labelInstance] = made.config.Labels[labelInstance]
	volume, err := d.api.VolumeCreate(ctx, client.VolumeCreateOptions{Name: name + filesSuffix, Labels: labels})
	if err != nil {
		return false, err
	}
	if !d.is(volume.Volume.Labels, keyOf(labels)) {
		return false, foreign("volume", name+filesSuffix, volume.Volume.Labels)
	}
	numbered := make([]file, len(files))
	for i, f := range files {
		numbered[i] = f
		numbered[i].path = path.Join(filesDir, strconv.Itoa(i))
		made.host.Mounts = append(made.host.Mounts, mount.Mount{Type: mount.TypeBind, ReadOnly: true,
			Source: path.Join(volume.Volume.Mountpoint, strconv.Itoa(i)), Target: f.path})
	}
	return true, d.fill(ctx, name+filesSuffix, made.config.Image, d.ours(made.config.Labels[labelDeployment]), numbered)
}

// fill copies files into a volume through a container that never runs.
func (d *Driver) fill(ctx context.Context, volume, image string, labels map[string]string, files []file) error {
	helper, err := d.api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: &container.Config{Image: image, Entrypoint: []string{neverRun}, Labels: labels},
		HostConfig: &container.HostConfig{NetworkMode: "none",
			Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: volume, Target: filesDir, VolumeOptions: &mount.VolumeOptions{NoCopy: true}}}},
	})
	if err != nil {
		return err
	}
	err = d.copyIn(ctx, helper.ID, files)
	_, removeErr := d.api.ContainerRemove(context.WithoutCancel(ctx), helper.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	return errors.Join(err, ignoreGone(removeErr))
}

// removeFiles removes what prepareReadOnly made.
func (d *Driver) removeFiles(ctx context.Context, name string) error {
	_, err := d.api.VolumeRemove(ctx, name+filesSuffix, client.VolumeRemoveOptions{})
	return ignoreGone(err)
}

func withoutFiles(mounts []mount.Mount) []mount.Mount {
	var all []mount.Mount
	for _, m := range mounts {
		if !strings.Contains(m.Source, filesSuffix+"/") {
			all = append(all, m)
		}
	}
	return all
}

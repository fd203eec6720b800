package docker

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"path"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/volume"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Where a copier sees what it copies.
const (
	sourceDir = "/slipway-source"
	targetDir = "/slipway-target"
)

// copyVolume makes one volume hold exactly what another does, and answers how many
// bytes of files that is. Two containers that never run have the volumes, and the
// Docker Engine's archives carry the data from one to the other: through this
// process, but past its disk. Archives keep owners, modes, links, and times to the
// second.
func (d *Driver) copyVolume(ctx context.Context, s node.Snapshot, from, to volume.Volume, image node.Image) (int64, error) {
	doing := "copy volume " + from.Name + " to " + to.Name
	if err := d.removeCopiers(ctx, s); err != nil { // a killed one would keep the volumes
		return 0, err
	}
	source, err := d.makeCopier(ctx, s, image, mount.Mount{Type: mount.TypeVolume, Source: from.Name, Target: sourceDir,
		ReadOnly: true, VolumeOptions: &mount.VolumeOptions{NoCopy: true}})
	if err != nil {
		return 0, d.failed(doing, notInvalid(err))
	}
	defer d.removeProbe(ctx, source)
	// Of the target it has the directory above, so that an archive can replace the
	// volume's directory with all that was in it: nothing in the API only removes.
	target, err := d.makeCopier(ctx, s, image, mount.Mount{Type: mount.TypeBind, Source: path.Dir(to.Mountpoint), Target: targetDir})
	if err != nil {
		return 0, d.failed(doing, notInvalid(err))
	}
	defer d.removeProbe(ctx, target)
	bytes, err := d.carryOver(ctx, source, target, path.Base(to.Mountpoint))
	return bytes, d.failed(doing, err)
}

// makeCopier makes one of the containers. Docker lets nobody write to a container
// that is being read, so each is for one direction.
func (d *Driver) makeCopier(ctx context.Context, s node.Snapshot, image node.Image, has mount.Mount) (string, error) {
	run, err := d.runName(ctx, image.Reference)
	if err != nil {
		return "", err
	}
	labels := d.ours(s.Deployment)
	labels[labelSnapshotOf] = s.Volume
	made, err := d.api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config:     &container.Config{Image: run, Entrypoint: []string{neverRun}, Labels: labels},
		HostConfig: &container.HostConfig{NetworkMode: "none", Mounts: []mount.Mount{has}},
	})
	return made.ID, err
}

// removeCopiers removes what was copying a volume when its caller was killed, and
// waits until it is gone: until then it keeps the volumes.
func (d *Driver) removeCopiers(ctx context.Context, s node.Snapshot) error {
	for attempt := 1; ; attempt++ {
		list, err := d.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: d.owned(s.Deployment).Add("label", labelSnapshotOf+"="+s.Volume)})
		if err != nil || len(list.Items) == 0 {
			return d.failed("list containers", err)
		}
		for _, c := range list.Items {
			_, err := d.api.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			going := cerrdefs.IsConflict(err) && attempt < updateAttempts
			if ignoreGone(err) != nil && !going {
				return d.failed("remove "+nameOf(c), err)
			}
		}
		select {
		case <-d.cfg.After(updatePause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// carryOver streams the source into the target's directory of that name.
func (d *Driver) carryOver(ctx context.Context, source, target, name string) (int64, error) {
	packed, err := d.api.CopyFromContainer(ctx, source, client.CopyFromContainerOptions{SourcePath: sourceDir + "/."})
	if err != nil {
		return 0, err
	}
	defer packed.Content.Close()
	out, in := io.Pipe()
	var bytes int64
	read := make(chan error, 1)
	go func() {
		var err error
		bytes, err = repack(packed.Content, in, name)
		in.CloseWithError(err)
		read <- err
	}()
	_, err = d.api.CopyToContainer(ctx, target, client.CopyToContainerOptions{DestinationPath: targetDir, Content: out, AllowOverwriteDirWithFile: true})
	_ = out.CloseWithError(io.ErrClosedPipe)
	if why := <-read; why != nil && !errors.Is(why, io.ErrClosedPipe) {
		return 0, why
	}
	return bytes, err
}

// repack turns an archive of a directory into one that replaces the directory of
// that name by it: first by an empty file, which takes away what was there.
func repack(from io.Reader, to io.Writer, name string) (bytes int64, err error) {
	r, w := tar.NewReader(from), tar.NewWriter(to)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600}); err != nil {
		return 0, err
	}
	for entries := 0; ; entries++ {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			if entries == 0 {
				return 0, io.ErrUnexpectedEOF // the directory itself is always there
			}
			return bytes, w.Close()
		}
		if err != nil {
			return 0, err
		}
		h.Name = below(name, h.Name)
		if h.Typeflag == tar.TypeDir {
			h.Name += "/"
		}
		if h.Typeflag == tar.TypeLink {
			h.Linkname = below(name, h.Linkname)
		}
		if err := w.WriteHeader(h); err != nil {
			return 0, err
		}
		n, err := io.Copy(w, r)
		if err != nil {
			return 0, err
		}
		bytes += n
	}
}

func below(dir, name string) string {
	return path.Join(dir, path.Clean("/"+strings.TrimPrefix(name, "./")))
}

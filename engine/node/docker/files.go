package docker

import (
	"archive/tar"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

const (
	defaultMode = 0o644
	secretMode  = 0o400
)

// file is content that is copied into a container before it starts.
type file struct {
	path     string // absolute
	content  []byte
	mode     uint32
	uid, gid int
}

func filesOf(declared map[string]engine.File) ([]file, error) {
	var all []file
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		f := declared[name]
		content := []byte(f.Content)
		if f.ContentBase64 != "" {
			var err error
			if content, err = base64.StdEncoding.DecodeString(f.ContentBase64); err != nil {
				return nil, engine.Invalid("files."+name+".content_base64", "it is not base64: %v", err)
			}
		}
		mode, err := engine.ParseMode("files."+name+".mode", f.Mode, defaultMode)
		if err != nil {
			return nil, err
		}
		all = append(all, file{path: name, content: content, mode: mode})
	}
	return all, nil
}

// copyIn writes the files into a container that does not run.
func (d *Driver) copyIn(ctx context.Context, id string, files []file) error {
	if len(files) == 0 {
		return nil
	}
	packed, err := d.archive(ctx, id, files)
	if err != nil {
		return err
	}
	_, err = d.api.CopyToContainer(ctx, id, client.CopyToContainerOptions{DestinationPath: "/", Content: packed})
	return err
}

// copyOut reads files back from a container.
func (d *Driver) copyOut(ctx context.Context, id string, paths []string) ([]file, error) {
	var all []file
	for _, p := range paths {
		f, err := d.readFile(ctx, id, p)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// maxReadBack bounds what one file read from a container may hold.
const maxReadBack = 64 << 20

func (d *Driver) readFile(ctx context.Context, id, name string) (file, error) {
	packed, err := d.api.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: name})
	if err != nil {
		return file{}, err
	}
	defer packed.Content.Close()
	r := tar.NewReader(packed.Content)
	h, err := r.Next()
	if err != nil {
		return file{}, err
	}
	if h.Typeflag != tar.TypeReg {
		return file{}, fmt.Errorf("%s is no file", name)
	}
	content, err := io.ReadAll(io.LimitReader(r, maxReadBack))
	return file{path: name, content: content, mode: uint32(h.Mode & 0o7777), uid: h.Uid, gid: h.Gid}, err //nolint:gosec // twelve bits
}

// ownVolumes gives new volumes that the image puts nothing into to the user of
// the instance: Docker leaves them to root, and the user could not write there.
func (d *Driver) ownVolumes(ctx context.Context, id string, targets []string) error {
	if len(targets) == 0 {
		return nil
	}
	who, err := d.accountOf(ctx, id)
	if err != nil || who.uid == 0 {
		return ignoreUnknownUser(err)
	}
	for _, target := range targets {
		empty, err := d.emptyAndRoots(ctx, id, target)
		if err != nil {
			return err
		}
		if !empty {
			continue
		}
		where, err := d.placeOf(ctx, id, target)
		if err != nil {
			return err
		}
		packed, err := directory(where, who)
		if err != nil {
			return err
		}
		if _, err := d.api.CopyToContainer(ctx, id, client.CopyToContainerOptions{DestinationPath: "/", Content: packed}); err != nil {
			return err
		}
	}
	return nil
}

// emptyAndRoots reports whether nothing is in the directory and root owns it.
func (d *Driver) emptyAndRoots(ctx context.Context, id, dir string) (bool, error) {
	packed, err := d.api.CopyFromContainer(ctx, id, client.CopyFromContainerOptions{SourcePath: dir + "/."})
	if err != nil {
		return false, err
	}
	defer packed.Content.Close()
	r := tar.NewReader(packed.Content)
	h, err := r.Next()
	if err != nil || h.Uid != 0 {
		return false, ignoreEnd(err)
	}
	_, err = r.Next()
	return errors.Is(err, io.EOF), ignoreEnd(err)
}

func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

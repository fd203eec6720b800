package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"

	cerrdefs "github.com/containerd/errdefs"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// maxLinks is how many links on the way to one place are followed.
const maxLinks = 40

// place is where a directory of a container really is, with every link on the way
// followed inside the container's root, also those that lead nowhere: Docker
// unpacks nothing through such a one.
type place struct {
	existing string   // what there is of it
	missing  []string // what is to be made below, in order
}

func (p place) dir() string { return path.Join(append([]string{p.existing}, p.missing...)...) }

// placeOf looks where the directory is.
func (d *Driver) placeOf(ctx context.Context, id, dir string) (place, error) {
	p := place{existing: path.Clean("/" + dir)}
	for links := 0; p.existing != "/"; {
		stat, err := d.lookAt(ctx, id, p.existing)
		switch mode := stat.Mode; {
		case cerrdefs.IsNotFound(err):
			p.missing = append([]string{path.Base(p.existing)}, p.missing...)
			p.existing = path.Dir(p.existing)
		case err != nil:
			return place{}, err
		case mode&fs.ModeSymlink != 0:
			if links++; links > maxLinks {
				return place{}, engine.Invalid("", "the image has a loop of links at %s", dir)
			}
			p.existing = followed(p.existing, stat.LinkTarget)
		case !mode.IsDir():
			e := engine.Invalid("", "%s is no directory in the image", p.existing)
			e.Hint = "choose another path for what is put there, or another image"
			return place{}, e
		default:
			return p, nil
		}
	}
	return p, nil
}

// followed is where a link leads; .. ends at the root.
func followed(link, target string) string {
	if !path.IsAbs(target) {
		target = path.Join(path.Dir(link), target)
	}
	return path.Clean("/" + target)
}

// archive packs files for a container. Directories that the image has are left
// out, they keep their owner and mode.
func (d *Driver) archive(ctx context.Context, id string, files []file) (io.Reader, error) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	places := map[string]place{}
	for _, f := range files {
		dir := path.Dir(path.Clean(f.path))
		where, known := places[dir]
		if !known {
			var err error
			if where, err = d.placeOf(ctx, id, dir); err != nil {
				return nil, err
			}
			places[dir] = where
			for i := range where.missing {
				made := place{existing: where.existing, missing: where.missing[:i+1]}
				if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: inRoot(made.dir()) + "/", Mode: 0o755}); err != nil {
					return nil, err
				}
			}
		}
		h := &tar.Header{Typeflag: tar.TypeReg, Name: inRoot(path.Join(where.dir(), path.Base(f.path))),
			Size: int64(len(f.content)), Mode: int64(f.mode), Uid: f.uid, Gid: f.gid}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	return &buffer, w.Close()
}

// directory packs one directory, to be given to somebody.
func directory(at place, who account) (io.Reader, error) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	h := &tar.Header{Typeflag: tar.TypeDir, Name: inRoot(at.dir()) + "/", Mode: 0o755, Uid: who.uid, Gid: who.gid}
	return &buffer, errors.Join(w.WriteHeader(h), w.Close())
}

// inRoot is an absolute path as an archive of the root names it.
func inRoot(p string) string { return strings.TrimPrefix(p, "/") }

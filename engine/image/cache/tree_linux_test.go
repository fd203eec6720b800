package cache

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// show mounts the image's layers at a directory and lists what is to be seen.
func show(c *Cache, digest, at string) error {
	found, err := c.Image(digest)
	if err != nil {
		return err
	}
	if err := mount(found.Layers, at); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	defer unix.Unmount(at, unix.MNT_DETACH) //nolint:errcheck // best effort
	return list(at)
}

// mount makes a read-only overlay of the layers as local nodes do.
func mount(layers []string, at string) error {
	lower := make([]string, len(layers))
	for i, l := range layers {
		lower[len(layers)-1-i] = l
	}
	lower = append(lower, filepath.Dir(at)+"/empty") // an overlay wants two
	if err := os.MkdirAll(filepath.Dir(at)+"/empty", 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	return unix.Mount("overlay", at, "overlay", unix.MS_RDONLY, "userxattr,lowerdir="+strings.Join(lower, ":"))
}

// list prints every path below root with its mode, owner and content.
func list(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		var stat unix.Stat_t
		if err := unix.Lstat(path, &stat); err != nil {
			return err
		}
		what := ""
		switch {
		case entry.Type()&fs.ModeSymlink != 0:
			what, err = os.Readlink(path)
			what = "-> " + what
		case entry.Type().IsRegular():
			var text []byte
			text, err = os.ReadFile(path)
			what = string(text)
		}
		fmt.Printf("%s %o %d:%d %d %s\n", strings.TrimPrefix(path, root), stat.Mode, stat.Uid, stat.Gid, stat.Nlink, what)
		return err
	})
}

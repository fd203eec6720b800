package tree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Copy makes the directory to, which must not exist, with all that is in from, on
// the disk when it returns. It answers how many bytes the files have. Sockets are
// left out: they mean nothing without the process that made them.
func Copy(ctx context.Context, from, to string) (bytes int64, err error) {
	c := copier{ctx: ctx, linked: map[file]string{}}
	if err := c.entry(from, to); err != nil {
		return 0, err
	}
	return c.bytes, Sync(to)
}

// Sync brings the file system of a directory to the disk.
func Sync(dir string) error {
	made, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer made.Close()
	return unix.Syncfs(int(made.Fd()))
}

// Size is how many bytes the files in the directory have.
func Size(dir string) (bytes int64, err error) {
	seen := map[file]bool{}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		var s unix.Stat_t
		if err := unix.Lstat(path, &s); err != nil {
			return err
		}
		if f := (file{s.Dev, s.Ino}); !seen[f] {
			seen[f] = true
			bytes += s.Size
		}
		return nil
	})
	return bytes, err
}

// file is what several names may lead to.
type file struct {
	device, inode uint64
}

type copier struct {
	ctx    context.Context
	linked map[file]string // where the first name of a file with several was copied to
	bytes  int64
}

func (c *copier) entry(from, to string) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	var s unix.Stat_t
	if err := unix.Lstat(from, &s); err != nil {
		return &os.PathError{Op: "lstat", Path: from, Err: err}
	}
	if s.Mode&unix.S_IFMT == unix.S_IFSOCK {
		return nil
	}
	if first, again := c.linked[file{s.Dev, s.Ino}]; again {
		return os.Link(first, to)
	}
	if s.Nlink > 1 && s.Mode&unix.S_IFMT != unix.S_IFDIR {
		c.linked[file{s.Dev, s.Ino}] = to
	}
	if err := c.content(from, to, &s); err != nil {
		return err
	}
	if err := likeness(from, to, &s); err != nil {
		return fmt.Errorf("making %s like %s: %w", to, from, err)
	}
	return nil
}

// content makes what has no owner, mode and time yet.
func (c *copier) content(from, to string, s *unix.Stat_t) error {
	switch s.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return c.directory(from, to, s)
	case unix.S_IFREG:
		return readable(from, s, func() error { return c.regular(from, to, s.Size) })
	case unix.S_IFLNK:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	default: // a pipe or a device
		return os.NewSyscallError("mknod "+to, unix.Mknod(to, s.Mode, int(s.Rdev))) //nolint:gosec // as the kernel told it
	}
}

func (c *copier) directory(from, to string, s *unix.Stat_t) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	return readable(from, s, func() error {
		entries, err := os.ReadDir(from)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := c.entry(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
				return err
			}
		}
		return nil
	})
}

// readable does something with a file or directory that its owner, when that is not
// root, may have made unreadable for itself: for as long as it takes it is not.
func readable(path string, s *unix.Stat_t, do func() error) error {
	const owner = 0o500
	if os.Geteuid() == 0 || s.Mode&owner == owner {
		return do()
	}
	if err := unix.Chmod(path, s.Mode&0o7777|owner); err != nil {
		return &os.PathError{Op: "chmod", Path: path, Err: err}
	}
	return errors.Join(do(), unix.Chmod(path, s.Mode&0o7777))
}

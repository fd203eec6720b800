package tree

import (
	"bytes"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// likeness gives a copy the owner, attributes, mode and times of what it was made
// from, in this order: each may change those before it.
func likeness(from, to string, s *unix.Stat_t) error {
	if err := unix.Lchown(to, int(s.Uid), int(s.Gid)); err != nil && !foreignOwner(err) {
		return err
	}
	if err := attributes(from, to); err != nil {
		return err
	}
	if s.Mode&unix.S_IFMT != unix.S_IFLNK {
		if err := unix.Chmod(to, s.Mode&0o7777); err != nil {
			return err
		}
	}
	return unix.UtimesNanoAt(unix.AT_FDCWD, to, []unix.Timespec{s.Atim, s.Mtim}, unix.AT_SYMLINK_NOFOLLOW)
}

// foreignOwner reports whether this user cannot give files away.
func foreignOwner(err error) bool { return errors.Is(err, unix.EPERM) && os.Geteuid() != 0 }

// attributes copies the extended attributes that this user may set, where the
// file systems have any.
func attributes(from, to string) error {
	list, err := read(func(into []byte) (int, error) { return unix.Llistxattr(from, into) })
	if errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range bytes.Split(bytes.TrimSuffix(list, []byte{0}), []byte{0}) {
		if len(name) == 0 {
			continue
		}
		value, err := read(func(into []byte) (int, error) { return unix.Lgetxattr(from, string(name), into) })
		if err == nil {
			err = unix.Lsetxattr(to, string(name), value, 0)
		}
		if err != nil && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.ENOTSUP) && !errors.Is(err, unix.ENODATA) {
			return &os.PathError{Op: "copy attribute " + string(name), Path: from, Err: err}
		}
	}
	return nil
}

// read asks for the length first.
func read(ask func(into []byte) (int, error)) ([]byte, error) {
	n, err := ask(nil)
	if err != nil || n == 0 {
		return nil, err
	}
	into := make([]byte, n)
	n, err = ask(into)
	return into[:max(n, 0)], err
}

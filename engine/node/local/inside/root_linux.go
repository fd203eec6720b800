package inside

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// Root is a directory that is the root of every path given to its methods; a
// relative path begins there as well. It says nothing about the calling
// thread's own root.
type Root struct{ dir *os.File }

// Open holds the directory, whose own path is trusted.
func Open(dir string) (*Root, error) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	return &Root{dir: os.NewFile(uintptr(fd), dir)}, nil
}

// Close lets go of the directory.
func (r *Root) Close() error { return r.dir.Close() }

// Enter makes the directory the root of the calling thread and its current directory.
func (r *Root) Enter() error {
	if err := unix.Fchdir(int(r.dir.Fd())); err != nil {
		return err
	}
	return unix.Chroot(".")
}

// Path leads to the root itself for as long as it is open, for system calls that
// take no descriptor. The calling thread must see this process in its /proc.
func (r *Root) Path() string { return Path(r.dir) }

// Path leads to an open file, as Root.Path does.
func Path(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// again bounds how often a path is tried anew that somebody renames meanwhile.
const again = 100

// Open opens name with the flags of open(2). It never waits for the other end of a pipe.
func (r *Root) Open(name string, flags int, mode fs.FileMode) (*os.File, error) {
	how := unix.OpenHow{
		Flags:   uint64(flags | unix.O_CLOEXEC),
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	if flags&unix.O_PATH == 0 {
		how.Flags |= unix.O_NONBLOCK | unix.O_NOCTTY
	}
	if flags&unix.O_CREAT != 0 {
		how.Mode = uint64(mode.Perm())
	}
	var err error
	for range again {
		var fd int
		fd, err = unix.Openat2(int(r.dir.Fd()), name, &how)
		if err == nil {
			return os.NewFile(uintptr(fd), name), nil
		}
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
			break
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: err}
}

// Find holds what is at name, whatever it is.
func (r *Root) Find(name string) (*os.File, error) { return r.Open(name, unix.O_PATH, 0) }

// FindDir holds the directory name.
func (r *Root) FindDir(name string) (*os.File, error) {
	return r.Open(name, unix.O_PATH|unix.O_DIRECTORY, 0)
}

// maxLinks is how many links to nowhere may be followed for one path, as in the kernel.
const maxLinks = 40

// MakeDir holds the directory name, and makes it and those above it when they are
// absent; a link to a directory that is absent makes that one.
func (r *Root) MakeDir(name string) (*os.File, error) { return r.makeDir(name, maxLinks) }

func (r *Root) makeDir(name string, links int) (*os.File, error) {
	found, err := r.FindDir(name)
	if !errors.Is(err, unix.ENOENT) {
		return found, err
	}
	if links == 0 {
		return nil, &fs.PathError{Op: "mkdir", Path: name, Err: unix.ELOOP}
	}
	above, last := split(name)
	parent, err := r.makeDir(above, links)
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	if found, err = r.FindDir(name); err == nil {
		return found, nil // it ended with "..", say
	}
	err = unix.Mkdirat(int(parent.Fd()), last, 0o755)
	if err == nil {
		return r.FindDir(name)
	}
	if !errors.Is(err, unix.EEXIST) {
		return nil, &fs.PathError{Op: "mkdir", Path: name, Err: err}
	}
	target := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(parent.Fd()), last, target)
	if err != nil {
		return nil, &fs.PathError{Op: "mkdir", Path: name, Err: unix.ENOTDIR}
	}
	leads := string(target[:n])
	if !path.IsAbs(leads) {
		leads = above + "/" + leads // not cleaned: what is above may be a link
	}
	return r.makeDir(leads, links-1)
}

// split parts a path at its last slash, which it does not clean.
func split(name string) (above, last string) {
	for len(name) > 1 && name[len(name)-1] == '/' {
		name = name[:len(name)-1]
	}
	above, last = path.Split(name)
	if above == "" {
		above = "/"
	}
	return above, last
}

// MakeFile holds what is at name, and makes an empty file where there is nothing.
func (r *Root) MakeFile(name string) (*os.File, error) {
	found, err := r.Find(name)
	if !errors.Is(err, unix.ENOENT) {
		return found, err
	}
	return r.create(name, unix.O_RDONLY, 0o644)
}

// Write gives the file name this content and mode, whatever was in it.
func (r *Root) Write(name string, content []byte, mode fs.FileMode) error {
	f, err := r.create(name, unix.O_WRONLY|unix.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode)) // as asked for, whatever the umask and whatever was there
	return errors.Join(err, f.Close())
}

func (r *Root) create(name string, flags int, mode fs.FileMode) (*os.File, error) {
	above, _ := split(name)
	parent, err := r.MakeDir(above)
	if err != nil {
		return nil, err
	}
	parent.Close()
	return r.Open(name, flags|unix.O_CREAT, mode)
}

// Read gives the content of a file, "" when there is none.
func (r *Root) Read(name string) (string, error) {
	f, err := r.Open(name, unix.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	return string(text), err
}

// Clear removes what is at name unless keep says that it may stay. A link there is
// removed itself.
func (r *Root) Clear(name string, keep func(fs.FileMode) bool) error {
	above, last := split(name)
	parent, err := r.FindDir(above)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer parent.Close()
	entry := Path(parent) + "/" + last
	info, err := os.Lstat(entry)
	if err != nil || keep(info.Mode()) {
		return nil //nolint:nilerr // there is nothing
	}
	return os.Remove(entry)
}

// Same reports whether f is the root directory itself.
func (r *Root) Same(f *os.File) bool {
	mine, err := r.dir.Stat()
	if err != nil {
		return false
	}
	other, err := f.Stat()
	return err == nil && os.SameFile(mine, other)
}

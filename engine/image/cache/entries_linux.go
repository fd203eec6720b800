package cache

import (
	"archive/tar"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// The names that mark deletions in a layer (OCI image specification, layers).
const (
	whiteoutPrefix = ".wh."
	opaqueMarker   = ".wh..wh..opq"
)

// The attribute by which an overlay mounted with userxattr knows a directory that
// hides what is below it.
const opaqueAttribute = "user.overlay.opaque"

const paxXattr = "SCHILY.xattr."

// entries remembers what a layer's archive held, for what can only be done after
// all of it is unpacked.
type entries struct {
	owners    bool
	listed    map[string]bool        // directories with an entry of their own
	implied   map[string]bool        // directories that only appear in the path of others
	modes     map[string]fs.FileMode // of directories that were opened up to be filled
	whiteouts []string               // absolute paths that hide something below
}

func newEntries(owners bool) *entries {
	return &entries{owners: owners, listed: map[string]bool{}, implied: map[string]bool{}, modes: map[string]fs.FileMode{}}
}

// accept sees every entry before it is unpacked; without false errors.
func (e *entries) accept(h *tar.Header) (bool, error) {
	name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
	for dir := path.Dir(name); dir != "." && dir != "/"; dir = path.Dir(dir) {
		e.implied[dir] = true
	}
	if h.Typeflag == tar.TypeDir {
		e.listed[name] = true
		e.openUp(h, name)
	}
	for key := range h.PAXRecords {
		if attribute, is := strings.CutPrefix(key, paxXattr); is && !e.keeps(attribute) {
			delete(h.PAXRecords, key)
		}
	}
	device := h.Typeflag == tar.TypeBlock || h.Typeflag == tar.TypeChar
	return e.owners || !device, nil
}

// openUp lets an ordinary user fill a directory that its owner may not write to;
// finish sets the real mode.
func (e *entries) openUp(h *tar.Header, name string) {
	delete(e.modes, name)
	if !e.owners && h.Mode&0o700 != 0o700 {
		e.modes[name] = h.FileInfo().Mode()
		h.Mode |= 0o700
	}
}

// keeps drops attributes that would speak to the overlay, and those that only
// root may set.
func (e *entries) keeps(attribute string) bool {
	switch {
	case strings.HasPrefix(attribute, "trusted."), strings.HasPrefix(attribute, "user.overlay."):
		return false
	case strings.HasPrefix(attribute, "user."):
		return true
	default:
		return e.owners
	}
}

// whiteout turns the archive's deletion marks into those of overlayfs: a character
// device 0:0 hides a name, an attribute hides all that a directory had.
func (e *entries) whiteout(_ *tar.Header, at string) (bool, error) {
	dir, base := filepath.Split(at)
	if base == opaqueMarker {
		return false, markOpaque(dir)
	}
	hidden, is := strings.CutPrefix(base, whiteoutPrefix)
	if !is {
		return true, nil
	}
	hide := filepath.Join(dir, hidden)
	e.whiteouts = append(e.whiteouts, hide)
	err := unix.Mknod(hide, unix.S_IFCHR, 0)
	if errors.Is(err, unix.EEXIST) { // the layer holds the name's new content
		return false, nil
	}
	if errors.Is(err, unix.EPERM) {
		return false, engine.Unsupported("", "this machine does not let this user record deleted files of an image",
			"run as root, or use Linux 5.8 or newer")
	}
	return false, pathError("mknod", hide, err)
}

func markOpaque(dir string) error {
	err := unix.Lsetxattr(filepath.Clean(dir), opaqueAttribute, []byte("y"), 0)
	if errors.Is(err, unix.ENOTSUP) {
		return engine.Unsupported("", "the file system of "+dir+" has no extended attributes for users",
			"put the node's root on ext4, xfs or btrfs")
	}
	return pathError("setxattr", dir, err)
}

func pathError(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &os.PathError{Op: op, Path: path, Err: err}
}

// finish completes a layer in dir once the layers below it, named lowest first,
// are in their place.
func (c *Cache) finish(dir string, e *entries, below []string) error {
	for _, path := range e.whiteouts {
		// A name that was deleted and made again as a directory starts empty.
		if info, err := os.Lstat(path); err == nil && info.IsDir() {
			if err := markOpaque(path); err != nil {
				return err
			}
		}
	}
	if err := c.inherit(dir, e, below); err != nil {
		return err
	}
	return restoreModes(dir, e.modes)
}

// inherit gives directories without an entry of their own the mode and the owner
// that they have below: an overlay shows those of the uppermost.
func (c *Cache) inherit(dir string, e *entries, below []string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // only read
	for name := range e.implied {
		if e.listed[name] {
			continue
		}
		info := c.lookUp(name, below)
		if info == nil || !info.IsDir() {
			continue
		}
		if err := adopt(root, name, info, e.owners); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// lookUp finds what a name is in the uppermost of the layers that has it.
func (c *Cache) lookUp(name string, below []string) fs.FileInfo {
	for _, layer := range slices.Backward(below) {
		root, err := os.OpenRoot(c.path("layers", layer))
		if err != nil {
			return nil
		}
		info, err := root.Lstat(name)
		_ = root.Close()
		if err == nil {
			return info
		}
	}
	return nil
}

func adopt(root *os.Root, name string, info fs.FileInfo, owners bool) error {
	now, err := root.Lstat(name)
	if err != nil || !now.IsDir() {
		return err
	}
	if stat, ok := info.Sys().(*unixStat); ok && owners {
		if err := root.Lchown(name, int(stat.Uid), int(stat.Gid)); err != nil {
			return err
		}
	}
	return root.Chmod(name, info.Mode())
}

// restoreModes closes what openUp opened, the deepest first.
func restoreModes(dir string, modes map[string]fs.FileMode) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // only read
	var names []string
	for name := range modes {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) })
	for _, name := range names {
		if name == "" {
			continue
		}
		if err := root.Chmod(name, modes[name]); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

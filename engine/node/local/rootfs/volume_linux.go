package rootfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/account"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/inside"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// filling keeps two instances of a deployment, which have one supervisor, from
// filling the same volume at once.
var filling sync.Mutex

// fill gives an empty volume what the image has at its place, as Docker does: the
// files, and the owner and mode of the directory. Where the image has nothing the
// volume belongs to the instance's user.
//
// The files are copied beside the volume, where no instance can meddle, and moved
// into it once all are there: whoever is killed in between leaves an empty volume,
// or one that the next start finishes.
func fill(root *inside.Root, b Bind, users bool, who account.Account) error {
	filling.Lock()
	defer filling.Unlock()
	copied, complete := state.Filling(b.Source)
	if _, err := os.Lstat(complete); err == nil {
		return moveInto(b.Source, complete, users)
	}
	if err := state.RemoveAll(copied); err != nil {
		return err
	}
	entries, err := os.ReadDir(b.Source)
	if err != nil || len(entries) > 0 {
		return err
	}
	source, err := root.FindDir(b.Target)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		if users {
			return os.Chown(b.Source, who.UID, who.GID)
		}
		return nil
	}
	if err != nil {
		return err
	}
	defer source.Close()
	if err := copyTree(source, copied, users); err != nil {
		return err
	}
	if err := os.Rename(copied, complete); err != nil {
		return err
	}
	return moveInto(b.Source, complete, users)
}

// copyTree copies a directory with all that is in it, to the disk.
func copyTree(source *os.File, to string, users bool) error {
	from := inside.Path(source)
	err := filepath.WalkDir(from+"/.", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		return copyEntry(path, filepath.Join(to, name), info, users)
	})
	if err != nil {
		return err
	}
	made, err := os.Open(to)
	if err != nil {
		return err
	}
	defer made.Close()
	return unix.Syncfs(int(made.Fd()))
}

// moveInto moves what is in the complete copy into the volume. What an instance
// that shares the volume has put there meanwhile stays.
func moveInto(volume, complete string, users bool) error {
	entries, err := os.ReadDir(complete)
	if err != nil {
		return err
	}
	for _, e := range entries {
		err := unix.Renameat2(unix.AT_FDCWD, filepath.Join(complete, e.Name()),
			unix.AT_FDCWD, filepath.Join(volume, e.Name()), unix.RENAME_NOREPLACE)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("moving %s into the volume: %w", e.Name(), err)
		}
	}
	info, err := os.Stat(complete)
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && users {
		if err := os.Chown(volume, int(stat.Uid), int(stat.Gid)); err != nil {
			return err
		}
	}
	if err := os.Chmod(volume, info.Mode()); err != nil {
		return err
	}
	return state.RemoveAll(complete)
}

// copyEntry copies one file, directory or link with its mode and owner; devices,
// sockets and pipes are left out.
func copyEntry(from, to string, info fs.FileInfo, users bool) error {
	switch {
	case info.IsDir():
		if err := os.Mkdir(to, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		if err := os.Symlink(target, to); err != nil {
			return err
		}
	case info.Mode().IsRegular():
		if err := copyFile(from, to); err != nil {
			return err
		}
	default:
		return nil
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && users {
		if err := os.Lchown(to, int(stat.Uid), int(stat.Gid)); err != nil {
			return err
		}
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	return os.Chmod(to, info.Mode())
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return fmt.Errorf("copying %s: %w", from, err)
	}
	return out.Close()
}

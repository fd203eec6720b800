package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/account"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/inside"
)

// openTree holds a detached copy of what is mounted at path and below.
func openTree(path string) (*os.File, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// attach mounts a held tree on the target, which is held as well.
func attach(tree, target *os.File) error {
	return unix.MoveMount(int(tree.Fd()), "", int(target.Fd()), "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
}

func openBinds(binds []Bind) (map[string]*os.File, error) {
	open := map[string]*os.File{}
	for _, b := range binds {
		f, err := openTree(b.Source)
		if errors.Is(err, fs.ErrNotExist) {
			e := engine.Invalid(b.Field, "%s does not exist on the node", b.Source)
			e.Hint = "create it on the node first"
			err = e
		}
		if err == nil && b.ReadOnly {
			err = unix.MountSetattr(int(f.Fd()), "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE,
				&unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
		}
		if f != nil {
			open[b.Target] = f
		}
		if err != nil {
			closeAll(open)
			return nil, fmt.Errorf("opening %s: %w", b.Source, err)
		}
	}
	return open, nil
}

// attachBinds mounts them, outer directories before inner ones.
func attachBinds(root *inside.Root, p Plan, open map[string]*os.File, who account.Account) error {
	binds := slices.Clone(p.Binds)
	slices.SortFunc(binds, func(a, b Bind) int { return strings.Compare(a.Target, b.Target) })
	for _, b := range binds {
		if b.Volume && !b.ReadOnly {
			if err := fill(root, b, p.Users, who); err != nil {
				return fmt.Errorf("filling the volume at %s: %w", b.Target, err)
			}
		}
		if err := attachBind(root, b, open[b.Target]); err != nil {
			return fmt.Errorf("mounting at %s: %w", b.Target, err)
		}
	}
	return nil
}

func attachBind(root *inside.Root, b Bind, tree *os.File) error {
	info, err := tree.Stat()
	if err != nil {
		return err
	}
	place := root.MakeFile
	if info.IsDir() {
		place = root.MakeDir
	}
	target, err := place(b.Target)
	if err != nil {
		return err
	}
	defer target.Close()
	if root.Same(target) {
		return engine.Invalid(b.Field, "%s leads to the root directory of the image", b.Target)
	}
	return attach(tree, target)
}

func mountTmpfs(root *inside.Root, all []Tmpfs) error {
	for _, t := range all {
		if err := mountOneTmpfs(root, t); err != nil {
			return fmt.Errorf("mounting a tmpfs at %s: %w", t.Target, err)
		}
	}
	return nil
}

func mountOneTmpfs(root *inside.Root, t Tmpfs) error {
	target, err := root.MakeDir(t.Target)
	if err != nil {
		return err
	}
	defer target.Close()
	if root.Same(target) {
		return engine.Invalid("tmpfs."+t.Target, "%s leads to the root directory of the image", t.Target)
	}
	options := "mode=1777"
	if t.Size > 0 {
		options += fmt.Sprintf(",size=%d", t.Size)
	}
	return unix.Mount("tmpfs", inside.Path(target), "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options)
}

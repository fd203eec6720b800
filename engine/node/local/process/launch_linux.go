package process

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/account"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/inside"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/rootfs"
)

// Launch starts the first process of an instance in new namespaces on top of the
// network namespace: when it ends, the kernel ends all others of the instance.
func Launch(network *os.File, root rootfs.Plan, c Command) (*Process, error) {
	var p *Process
	err := onThread(func() (err error) {
		if err := c.Group.EnterThread(); err != nil {
			return err
		}
		if err := unix.Setns(int(network.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("entering the network: %w", err)
		}
		if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS); err != nil {
			return fmt.Errorf("making namespaces: %w", err)
		}
		place, err := rootfs.Assemble(root)
		if err != nil {
			return err
		}
		defer place.Close()
		p, err = c.start(place, func() error { return rootfs.Seal(root, place) })
		return err
	})
	return p, err
}

// Join starts a process inside the instance whose first process is given.
func Join(first *Process, c Command) (*Process, error) {
	var p *Process
	err := onThread(func() (err error) {
		if err := c.Group.EnterThread(); err != nil {
			return err
		}
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return err
		}
		node, err := inside.Open("/")
		if err != nil {
			return err
		}
		defer node.Close()
		proc, err := openProc()
		if err != nil {
			return err
		}
		defer proc.Close()
		const all = unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWNET
		if err := unix.Setns(int(first.PIDFD.Fd()), all); err != nil {
			return fmt.Errorf("entering the instance: %w", err)
		}
		place, err := c.placeHere(first.Account)
		if err != nil {
			return err
		}
		defer place.Close()
		if c.disguised(first.Account) {
			p, err = c.startDisguised(place, proc)
			return err
		}
		if err := node.Enter(); err != nil {
			return fmt.Errorf("going back to the node: %w", err)
		}
		p, err = c.start(place, nil)
		return err
	})
	return p, err
}

// placeHere is the root of the calling thread, which sees the instance's own /proc.
func (c Command) placeHere(who account.Account) (*rootfs.Place, error) {
	root, err := inside.Open("/")
	if err != nil {
		return nil, err
	}
	place := &rootfs.Place{Root: root, Account: who}
	place.WorkingDir, err = root.FindDir("/" + strings.TrimPrefix(c.WorkingDir, "/"))
	if err != nil {
		err = engine.Invalid("working_dir", "%s cannot be entered: %v", c.WorkingDir, err)
	} else {
		err = rootfs.CheckWorkingDir(place.WorkingDir)
	}
	if err != nil {
		place.Close()
		return nil, err
	}
	return place, nil
}

// startDisguised starts a process in a user namespace of its own. Its ids are
// written through the supervisor's /proc, and the kernel makes no user namespace
// for a thread whose root is not that of its mount namespace. So this thread gets
// a copy of the instance's mounts with that /proc, and the process, which must not
// see it, the original as its root.
func (c Command) startDisguised(place *rootfs.Place, proc *os.File) (*Process, error) {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return nil, err
	}
	if err := unix.MoveMount(int(proc.Fd()), "", unix.AT_FDCWD, "/proc", unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return nil, fmt.Errorf("mounting /proc: %w", err)
	}
	return c.start(place, func() error { return unix.Unmount("/proc", unix.MNT_DETACH) })
}

// openProc holds the supervisor's /proc.
func openProc() (*os.File, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, "/proc", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("opening /proc: %w", err)
	}
	return os.NewFile(uintptr(fd), "proc"), nil
}

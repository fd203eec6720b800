package rootfs

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/account"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/inside"
)

// Place is a root file system that was put together, for a process to be born in.
type Place struct {
	Root       *inside.Root
	WorkingDir *os.File // held open
	Account    account.Account
}

// Close lets go of it; what runs there goes on.
func (l *Place) Close() {
	if l.WorkingDir != nil {
		l.WorkingDir.Close()
	}
	if l.Root != nil {
		l.Root.Close()
	}
}

// Assemble puts the root file system together in the mount namespace of the
// calling thread, whose own root stays as it is. There is no /proc in it yet.
// The first process changes its root to the place; Seal must follow once it
// exists, and before it runs.
func Assemble(p Plan) (*Place, error) {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return nil, fmt.Errorf("leaving the node's mounts: %w", err)
	}
	if err := checkTargets(p); err != nil {
		return nil, err
	}
	binds, err := openBinds(p.Binds)
	if err != nil {
		return nil, err
	}
	defer closeAll(binds)
	if err := mountOverlay(p); err != nil {
		return nil, err
	}
	place := &Place{}
	if err := place.build(p, binds); err != nil {
		place.Close()
		return nil, err
	}
	return place, nil
}

func (l *Place) build(p Plan, binds map[string]*os.File) (err error) {
	if l.Root, err = inside.Open(p.Merged); err != nil {
		return err
	}
	if l.Account, err = lookupUser(l.Root, p.User); err != nil {
		return err
	}
	return inOrder([]func() error{
		func() error { return makeMountPoints(l.Root) },
		func() error { return mountTmpfs(l.Root, p.Tmpfs) },
		func() error { return attachBinds(l.Root, p, binds, l.Account) },
		func() error { return writeNames(l.Root, p) },
		func() error { return writeFiles(l.Root, p.Files) },
		func() error { return writeSecrets(l.Root, p, l.Account) },
		func() error { return l.openWorkingDir(p.WorkingDir) },
		func() error { return mountSys(p.Merged) },
		func() error { return mountDev(p) },
		func() error { return unix.Sethostname([]byte(p.Hostname)) },
	})
}

func (l *Place) openWorkingDir(path string) (err error) {
	l.WorkingDir, err = l.Root.MakeDir("/" + strings.TrimPrefix(path, "/"))
	if err != nil {
		return fmt.Errorf("making the working directory: %w", err)
	}
	return nil
}

// Seal finishes what Assemble began, on the same thread: the instance gets a /proc
// of its own, the node's mounts go away, and what the instance must not change
// becomes read-only. The thread's current directory must be the place's working
// directory.
func Seal(p Plan, l *Place) error {
	return inOrder([]func() error{
		func() error { return mountProcForChildren(p.Merged + "/proc") },
		func() error { return changeRoot(p.Merged) },
		maskKernel,
		func() error { return sealRoot(p.ReadOnly) },
		func() error { return CheckWorkingDir(l.WorkingDir) },
	})
}

// CheckWorkingDir enters the directory and makes sure that it is inside the root
// of the calling thread.
func CheckWorkingDir(dir *os.File) error {
	if err := unix.Fchdir(int(dir.Fd())); err != nil {
		return err
	}
	path, err := unix.Getwd()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(path, "/") { // the kernel puts (unreachable) before it
		return fmt.Errorf("the working directory %s is outside of the instance", path)
	}
	return nil
}

func inOrder(steps []func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// changeRoot makes dir the root and leaves nothing of the old one. The old root is
// mounted on top of the new one for a moment, and is what is unmounted.
func changeRoot(dir string) error {
	if err := unix.Chdir(dir); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("changing the root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leaving the old root: %w", err)
	}
	return unix.Chdir("/")
}

func lookupUser(root *inside.Root, spec string) (account.Account, error) {
	passwd, err := root.Read("/etc/passwd")
	group, other := root.Read("/etc/group")
	if err = errors.Join(err, other); err != nil {
		return account.Account{}, err
	}
	return account.Lookup(spec, passwd, group)
}

func sealRoot(readOnly bool) error {
	if !readOnly {
		return nil
	}
	if err := unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""); err != nil {
		return fmt.Errorf("making the root read-only: %w", err)
	}
	return nil
}

func closeAll[K comparable](files map[K]*os.File) {
	for _, f := range files {
		f.Close()
	}
}

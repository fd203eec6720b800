package process

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/account"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/caps"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/rootfs"
)

// start forks and executes from the calling thread, which is in the namespaces of
// the instance and sees the supervisor's /proc: the process changes its root to
// the place, and inherits the open working directory, so no path of the instance
// is followed where another /proc than its own can be seen. finish, when there is
// one, is called between the birth of the process and its first instruction.
func (c Command) start(place *rootfs.Place, finish func() error) (*Process, error) {
	who := place.Account
	env := c.environment(who)
	path, err := find(place.Root, c.Args[0], c.WorkingDir, env)
	if err != nil {
		return nil, err
	}
	if err := caps.Bound(c.Capabilities); err != nil {
		return nil, err
	}
	if c.NoNewPrivileges {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return nil, err
		}
	}
	group, err := c.Group.Open()
	if err != nil {
		return nil, err
	}
	defer group.Close() // a nil file is fine
	null, err := os.Open("/dev/null")
	if err != nil {
		return nil, err
	}
	defer null.Close()
	if err := unix.Fchdir(int(place.WorkingDir.Fd())); err != nil {
		return nil, err
	}
	pidfd := -1
	attr := &os.ProcAttr{
		Env: env, Files: []*os.File{null, c.Output, c.Output},
		Sys: &syscall.SysProcAttr{Setsid: true, PidFD: &pidfd, Chroot: place.Root.Path()},
	}
	if group != nil {
		attr.Sys.UseCgroupFD, attr.Sys.CgroupFD = true, int(group.Fd())
	}
	c.becomeUser(attr.Sys, who)
	p, err := c.fork(path, attr, finish)
	if err != nil {
		return nil, explain(path, who, err)
	}
	return &Process{Process: p, Account: who, PIDFD: os.NewFile(uintptr(pidfd), "pidfd")}, nil
}

// disguised says that the account exists only in a user namespace of its own.
func (c Command) disguised(who account.Account) bool {
	return !c.Users && (who.UID != 0 || who.GID != 0)
}

func (c Command) becomeUser(sys *syscall.SysProcAttr, who account.Account) {
	switch {
	case c.Users:
		sys.Credential = &syscall.Credential{Uid: uint32(who.UID), Gid: uint32(who.GID)}
		for _, g := range who.Groups {
			sys.Credential.Groups = append(sys.Credential.Groups, uint32(g))
		}
	case c.disguised(who):
		sys.Cloneflags = unix.CLONE_NEWUSER
		sys.UidMappings = []syscall.SysProcIDMap{{ContainerID: who.UID, HostID: 0, Size: 1}}
		sys.GidMappings = []syscall.SysProcIDMap{{ContainerID: who.GID, HostID: 0, Size: 1}}
	}
}

// fork starts the process. Where something must happen before its first
// instruction, it is born traced and let go afterwards.
func (c Command) fork(path string, attr *os.ProcAttr, finish func() error) (*os.Process, error) {
	attr.Sys.Ptrace = finish != nil || len(c.Ulimits) > 0
	p, err := os.StartProcess(path, c.Args, attr)
	if err != nil || !attr.Sys.Ptrace {
		return p, err
	}
	err = awaitTrap(p.Pid)
	if err == nil && finish != nil {
		err = finish()
	}
	if err == nil {
		err = limit(p.Pid, c.Ulimits)
	}
	if err == nil {
		err = unix.PtraceDetach(p.Pid)
	}
	if err != nil {
		_ = p.Kill()
		_, _ = p.Wait()
		return nil, err
	}
	return p, nil
}

// awaitTrap waits until a traced child has executed its program.
func awaitTrap(pid int) error {
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(pid, &status, unix.WALL, nil)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
	if !status.Stopped() {
		return fmt.Errorf("the process ended before it began: %v", status)
	}
	return nil
}

func explain(path string, who account.Account, err error) error {
	switch {
	case errors.Is(err, unix.ENOENT):
		return engine.Invalid("command", "%s is in the image, but not the interpreter or dynamic linker it asks for", path)
	case errors.Is(err, unix.ENOEXEC):
		return engine.Invalid("command", "%s is no program that this node can run: another platform's, or a script without #!", path)
	case errors.Is(err, unix.EACCES):
		return engine.Invalid("command", "user %d may not run %s", who.UID, path)
	case errors.Is(err, unix.E2BIG):
		return engine.Invalid("env", "arguments and environment together are too big for the kernel")
	}
	return fmt.Errorf("starting %s: %w", path, err)
}

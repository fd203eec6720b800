package rootfs

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mountProcForChildren mounts a /proc that shows the pid namespace of the thread's
// children. The kernel takes the namespace that the mounting process itself lives
// in, so a child has to do it: a copy of this process that makes one system call
// and ends, without ever being anything else.
func mountProcForChildren(at string) error {
	name, err := unix.BytePtrFromString("proc")
	if err != nil {
		return err
	}
	target, err := unix.BytePtrFromString(at)
	if err != nil {
		return err
	}
	pid, errno := forkMount(name, target, careful)
	if errno != 0 {
		return fmt.Errorf("forking to mount /proc: %w", errno)
	}
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
	if !status.Exited() {
		return fmt.Errorf("mounting /proc in the instance: %v", status)
	}
	if code := status.ExitStatus(); code != 0 {
		return fmt.Errorf("mounting /proc in the instance: %w", syscall.Errno(code))
	}
	return nil
}

// forkMount forks a child that mounts and exits with the error number. As between
// any fork and exec of a program with threads, the child may do nothing but make
// system calls; that is also all that package syscall does there.
//
//go:noinline
//go:norace
//go:nosplit
func forkMount(name, target *byte, flags uintptr) (pid int, errno syscall.Errno) {
	child, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 || child != 0 {
		return int(child), errno
	}
	_, _, errno = syscall.RawSyscall6(syscall.SYS_MOUNT, uintptr(unsafe.Pointer(name)),
		uintptr(unsafe.Pointer(target)), uintptr(unsafe.Pointer(name)), flags, 0, 0)
	for {
		syscall.RawSyscall(syscall.SYS_EXIT_GROUP, uintptr(errno), 0, 0)
	}
}

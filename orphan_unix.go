//go:build unix

package main

import (
	"errors"

	"golang.org/x/sys/unix"
)

// unheard is closed when nobody can read what this process prints any more:
// whoever started it and read its output is gone. Unlike the parent's process
// id, the pipe tells also when that happened before the first look.
func unheard() <-chan struct{} {
	alone := make(chan struct{})
	// A copy: the plugin library puts other files in the place of standard output.
	out, err := unix.FcntlInt(uintptr(unix.Stdout), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return alone // there is no output to be read
	}
	go func() {
		for {
			fds := []unix.PollFd{{Fd: int32(out)}} // asked for nothing, poll tells errors only
			if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
				return
			}
			if fds[0].Revents != 0 {
				close(alone)
				return
			}
		}
	}()
	return alone
}

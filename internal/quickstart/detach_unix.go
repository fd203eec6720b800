//go:build unix

package main

import (
	"os"
	"syscall"
)

// detached lets a process outlive make and the terminal.
func detached() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// end asks a process to end.
func end(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

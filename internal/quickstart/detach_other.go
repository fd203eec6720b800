//go:build !unix

package main

import (
	"os"
	"syscall"
)

// detached: where there are no sessions a process outlives its parent anyway.
func detached() *syscall.SysProcAttr { return nil }

// end ends a process at once: there is no softer way here.
func end(p *os.Process) error { return p.Kill() }

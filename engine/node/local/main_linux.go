package local

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/probe"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/supervisor"
)

// readyFD is where a starting supervisor tells its driver that it began.
const readyFD = 3

// Main turns the process into a supervisor when it was started as one, and never
// returns then. Binaries that open local nodes, tests among them, call it first.
func Main() {
	if len(os.Args) != 3 || os.Args[1] != SuperviseCommand {
		return
	}
	runtime.LockOSThread() // keeps the first thread, which stands for the process, out of everything
	if err := Supervise(context.Background(), os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		syscall.Exit(1)
	}
	syscall.Exit(0) // at once: whoever removes a deployment waits for this end
}

// Supervise is the life of a supervisor for the sandbox in dir. It works only in a
// process that a Driver started.
func Supervise(ctx context.Context, dir string) error {
	ready := os.NewFile(readyFD, "ready")
	if probe.Wanted(dir) {
		return probe.Run(dir, ready)
	}
	return supervisor.Run(ctx, dir, ready)
}

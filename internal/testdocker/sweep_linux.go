package testdocker

import (
	"io"
	"os"
	"os/exec"
	"syscall"
)

// sweepVariable names a directory to a copy of the test program that does nothing
// but remove its Engine in the end.
const sweepVariable = "SLIPWAY_TEST_DOCKER_SWEEP"

// sweeper is that copy. It waits until its standard input is closed, which also
// happens when the test is killed.
type sweeper struct {
	process *exec.Cmd
	input   io.Closer
}

func init() {
	if dir := os.Getenv(sweepVariable); dir != "" {
		_, _ = io.Copy(io.Discard, os.Stdin)
		removeAll(dir)
		os.Exit(0)
	}
}

// newSweeper also keeps hold of a file, until it is done.
func newSweeper(dir string, held *os.File) (*sweeper, error) {
	defer held.Close()
	s := &sweeper{process: exec.Command("/proc/self/exe")}
	s.process.Env = append(os.Environ(), sweepVariable+"="+dir)
	s.process.ExtraFiles = []*os.File{held}
	s.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is not for it
	input, err := s.process.StdinPipe()
	if err != nil {
		return nil, err
	}
	s.input = input
	return s, s.process.Start()
}

// end ends it when all is removed.
func (s *sweeper) end() {
	if s == nil {
		return
	}
	s.input.Close()
	_ = s.process.Wait()
}

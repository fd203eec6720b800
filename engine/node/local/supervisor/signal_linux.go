package supervisor

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// SignalNumber reads a signal as Docker spells it: SIGQUIT, QUIT, 3 or RTMIN+3;
// what is unknown is fallback.
func SignalNumber(name string, fallback unix.Signal) unix.Signal {
	const rtmin = 34 // glibc's SIGRTMIN
	name = strings.ToUpper(name)
	if n, err := strconv.Atoi(name); err == nil && n > 0 && n < 65 {
		return unix.Signal(n)
	}
	short := strings.TrimPrefix(name, "SIG")
	if offset, ok := strings.CutPrefix(short, "RTMIN"); ok {
		n, _ := strconv.Atoi(strings.TrimPrefix(offset, "+"))
		return unix.Signal(rtmin + n)
	}
	if s := unix.SignalNum("SIG" + short); s != 0 {
		return s
	}
	return fallback
}

// listening is how often a process is looked at that does not listen to its signal yet.
const listening = 10 * time.Millisecond

// deliver sends the signal once the process listens to it. The kernel drops what
// the first process of a pid namespace has no handler for, and one that was only
// just started has none yet. It gives up when the process is done, or it is late.
func (s *Supervisor) deliver(p *os.Process, signal unix.Signal, done <-chan struct{}, late <-chan time.Time) {
	for signal != unix.SIGKILL && !listens(p.Pid, signal) {
		select {
		case <-done:
			return
		case <-late:
			_ = p.Kill()
			return
		case <-s.after(listening):
		}
	}
	_ = p.Signal(signal) // it may have ended by itself
}

// listens reports whether the process handles the signal, or waits for it.
func listens(pid int, signal unix.Signal) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return true // it is gone, or it hides: the signal decides
	}
	var caught uint64
	for _, line := range strings.Split(string(text), "\n") {
		for _, mask := range []string{"SigCgt:", "SigBlk:"} {
			if value, ok := strings.CutPrefix(line, mask); ok {
				bits, _ := strconv.ParseUint(strings.TrimSpace(value), 16, 64)
				caught |= bits
			}
		}
	}
	return caught&(1<<(uint(signal)-1)) != 0
}

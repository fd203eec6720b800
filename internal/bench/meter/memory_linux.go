package meter

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Memory is what a process holds, in bytes.
type Memory struct {
	Peak int64 // the most that was resident at any time, VmHWM
	Now  int64 // resident, VmRSS
}

// MemoryOf tells what a process holds.
func MemoryOf(pid int) (Memory, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, err
	}
	m := Memory{Peak: field(string(text), "VmHWM"), Now: field(string(text), "VmRSS")}
	if m.Peak == 0 {
		return m, fmt.Errorf("process %d holds no memory any more: %w", pid, os.ErrNotExist)
	}
	return m, nil
}

// field is a size of /proc/<pid>/status in bytes, 0 when it is not there.
func field(status, name string) int64 {
	for line := range strings.Lines(status) {
		if rest, found := strings.CutPrefix(line, name+":"); found {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return n << 10
		}
	}
	return 0
}

// Below finds the processes that came from the one with that id and have a
// command line that is wanted.
func Below(pid int, wanted func(args []string) bool) ([]int, error) {
	all, err := processes()
	if err != nil {
		return nil, err
	}
	var found []int
	for _, p := range all.below(pid) {
		if args, running := commandLine(p.pid); running && wanted(args) {
			found = append(found, p.pid)
		}
	}
	return found, nil
}

// commandLine is how a process was started; one that ended meanwhile has none.
func commandLine(pid int) (args []string, running bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00"), err == nil
}

// Watch looks every interval at the processes below the one with that id that
// are wanted, until ctx ends, and answers the highest peak that it saw.
func Watch(ctx context.Context, pid int, interval time.Duration, wanted func(args []string) bool) (int64, error) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var highest int64
	for {
		found, err := Below(pid, wanted)
		if err != nil {
			return highest, err
		}
		for _, p := range found {
			if m, err := MemoryOf(p); err == nil { // else it ended between two looks
				highest = max(highest, m.Peak)
			}
		}
		select {
		case <-ctx.Done():
			return highest, nil
		case <-ticker.C:
		}
	}
}

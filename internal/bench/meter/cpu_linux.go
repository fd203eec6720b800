package meter

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of times in /proc: USER_HZ is 100 on every Linux.
const tick = 10 * time.Millisecond

// CPU is the time that a process, those that came from it, and those of them that
// ended and were waited for, have spent on processors. The living are measured
// in nanoseconds, the dead in ticks of 10 ms.
func CPU(pid int) (time.Duration, error) {
	all, err := processes()
	if err != nil {
		return 0, err
	}
	root, there := all[pid]
	if !there {
		return 0, fmt.Errorf("process %d is gone", pid)
	}
	total := root.total()
	for _, p := range all.below(pid) {
		total += p.total()
	}
	return total, nil
}

// CPUOf is what CPU tells, of all processes with a command line that is wanted,
// without those that came from them.
func CPUOf(wanted func(args []string) bool) (time.Duration, error) {
	all, err := processes()
	if err != nil {
		return 0, err
	}
	var total time.Duration
	for pid, p := range all {
		if args, running := commandLine(pid); running && wanted(args) {
			total += p.total()
		}
	}
	return total, nil
}

// process is one line of the kernel's list.
type process struct {
	pid, parent int
	name        string
	waited      time.Duration // CPU time of children that it waited for
}

func (p process) total() time.Duration { return p.waited + clock(p.pid) }

// clock is the CPU time of all threads that a process has and had, 0 when it is gone.
func clock(pid int) time.Duration {
	const scheduled = 2 // CPUCLOCK_SCHED, see clock_getcpuclockid(3)
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

type table map[int]process

// below gives every process that came from the one with that id.
func (t table) below(pid int) []process {
	children := map[int][]process{}
	for _, p := range t {
		children[p.parent] = append(children[p.parent], p)
	}
	var found []process
	for next := children[pid]; len(next) > 0; {
		p := next[0]
		next = append(next[1:], children[p.pid]...)
		found = append(found, p)
	}
	return found
}

func processes() (table, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	all := table{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		p, err := read(pid)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // it ended meanwhile
		}
		if err != nil {
			return nil, err
		}
		all[pid] = p
	}
	return all, nil
}

func read(pid int) (process, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, err
	}
	return parse(pid, string(text))
}

// parse reads proc_pid_stat(5). The name, in parentheses, may hold anything.
func parse(pid int, stat string) (process, error) {
	from, to := strings.IndexByte(stat, '('), strings.LastIndexByte(stat, ')')
	if from < 0 || to < from {
		return process{}, fmt.Errorf("/proc/%d/stat has no name", pid)
	}
	fields := strings.Fields(stat[to+1:])
	const parent, childUser, childSystem = 1, 13, 14 // fields 4, 16 and 17
	if len(fields) <= childSystem {
		return process{}, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	p := process{pid: pid, name: stat[from+1 : to]}
	var ticks int
	for _, field := range []struct {
		at int
		to *int
	}{{parent, &p.parent}, {childUser, &ticks}, {childSystem, &ticks}} {
		n, err := strconv.Atoi(fields[field.at])
		if err != nil {
			return process{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
		*field.to += n
	}
	p.waited = time.Duration(ticks) * tick
	return p, nil
}

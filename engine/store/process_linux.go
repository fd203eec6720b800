package store

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// describeProcess adds what tells the process from a later one with its PID.
func describeProcess(owner *LeaseOwner) {
	owner.Boot = bootID()
	owner.Space, _ = os.Readlink("/proc/self/ns/pid")
	owner.Start, _ = processStart(owner.PID)
}

// processAlive looks for the owner's process. What cannot be told counts as alive.
func processAlive(owner LeaseOwner) bool {
	if boot := bootID(); owner.Boot != "" && boot != "" && boot != owner.Boot {
		return false
	}
	if space, err := os.Readlink("/proc/self/ns/pid"); err != nil || space != owner.Space {
		return true
	}
	start, err := processStart(owner.PID)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false
	case err != nil:
		return true
	default:
		return start != "" && (owner.Start == "" || owner.Start == start)
	}
}

func bootID() string {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b))
}

// processStart is the start time of a process in clock ticks since boot, ""
// for one that has ended and was not waited for.
func processStart(pid int) (string, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", err
	}
	// The second field is the name in parentheses and may hold anything.
	_, rest, _ := strings.Cut(string(b[strings.LastIndexByte(string(b), ')')+1:]), " ")
	fields := strings.Fields(rest)
	const state, start = 0, 19 // fields 3 and 22 of proc_pid_stat(5)
	if len(fields) <= start || fields[state] == "Z" || fields[state] == "X" {
		return "", nil
	}
	return fields[start], nil
}

package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// MarkVariable marks the environment of a command run inside an instance and of
// everything it starts, so that all of it can be found, however often it forked.
const MarkVariable = "SLIPWAY_EXEC"

// KillTree kills the process, what descends from it, and whatever carries the
// mark, until nothing of it is left or tries is exhausted.
func KillTree(root int, mark string, pause func(time.Duration)) error {
	for try := range 200 {
		alive := treeOf(root, mark)
		if len(alive) == 0 {
			return nil
		}
		for _, pid := range alive {
			if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("killing process %d: %w", pid, err)
			}
		}
		pause(time.Duration(min(try+1, 20)) * time.Millisecond)
	}
	return fmt.Errorf("some processes of the command could not be killed")
}

func treeOf(root int, mark string) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	parents := map[int]int{}
	marked := map[int]bool{root: true}
	want := []byte(MarkVariable + "=" + mark)
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		parent, zombie := statOf(pid)
		if parent < 0 || zombie {
			continue
		}
		parents[pid] = parent
		env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		for _, entry := range bytes.Split(env, []byte{0}) {
			if bytes.Equal(entry, want) {
				marked[pid] = true
			}
		}
	}
	var alive []int
	for pid := range parents {
		for p, depth := pid, 0; p > 1 && depth < 1000; p, depth = parents[p], depth+1 {
			if marked[p] {
				alive = append(alive, pid)
				break
			}
		}
	}
	return alive
}

// statOf reads the parent of a process, -1 when it is gone.
func statOf(pid int) (parent int, zombie bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return -1, false
	}
	// The name in parentheses may contain anything.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 2 {
		return -1, false
	}
	parent, err = strconv.Atoi(fields[1])
	if err != nil {
		return -1, false
	}
	return parent, fields[0] == "Z" || fields[0] == "X"
}

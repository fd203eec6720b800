package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Limits of one instance; zero is none.
type Limits struct {
	CPU    float64 // cores
	Memory int64   // bytes
	Pids   int
}

func (l Limits) none() bool { return l == Limits{} }

// Group holds the processes of one instance.
type Group struct {
	unified string
	v1      map[string]string
}

// Make makes the group at path (slipway/engine/deployment/instance) with the
// limits. Without limits it is made where that is possible, for counting, and is
// empty elsewhere.
func (t Tree) Make(path string, l Limits) (*Group, error) {
	g := &Group{v1: map[string]string{}}
	var err error
	if t.Unified != "" {
		err = g.makeUnified(t.Unified, path, l)
	} else {
		err = g.makeV1(t.V1, path, l)
	}
	if err != nil {
		g.Remove()
		if l.none() {
			return &Group{}, nil
		}
		return nil, fmt.Errorf("making the control group %s: %w", path, err)
	}
	return g, nil
}

func (g *Group) makeUnified(root, path string, l Limits) error {
	dir := root
	for _, part := range strings.Split(path, "/") {
		if err := handDown(dir); err != nil {
			return err
		}
		dir = filepath.Join(dir, part)
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	g.unified = dir
	return set(dir, map[string]string{
		"cpu.max":     quota(l.CPU),
		"memory.max":  amount(l.Memory),
		"memory.high": "",
		"pids.max":    amount(int64(l.Pids)),
	})
}

func (g *Group) makeV1(roots map[string]string, path string, l Limits) error {
	for controller, root := range roots {
		dir := filepath.Join(root, path)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		g.v1[controller] = dir
	}
	var errs []error
	if dir := g.v1["cpu"]; dir != "" && l.CPU > 0 {
		errs = append(errs, set(dir, map[string]string{"cpu.cfs_quota_us": strconv.Itoa(int(l.CPU * period))}))
	}
	if dir := g.v1["memory"]; dir != "" && l.Memory > 0 {
		errs = append(errs, set(dir, map[string]string{"memory.limit_in_bytes": amount(l.Memory)}))
		// Without swap accounting the file is absent, and there is nothing to limit.
		_ = set(dir, map[string]string{"memory.memsw.limit_in_bytes": amount(l.Memory)})
	}
	if dir := g.v1["pids"]; dir != "" && l.Pids > 0 {
		errs = append(errs, set(dir, map[string]string{"pids.max": amount(int64(l.Pids))}))
	}
	return errors.Join(errs...)
}

// period is the kernel's default length of a scheduling period in microseconds.
const period = 100000

func quota(cores float64) string {
	if cores <= 0 {
		return ""
	}
	return fmt.Sprintf("%d %d", int(cores*period), int(period))
}

func amount(n int64) string {
	if n <= 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func set(dir string, values map[string]string) error {
	for name, value := range values {
		if value == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0); err != nil {
			return err
		}
	}
	return nil
}

// Open gives a file of the group for clone into it (version 2), nil where there is none.
func (g *Group) Open() (*os.File, error) {
	if g.unified == "" {
		return nil, nil
	}
	return os.OpenFile(g.unified, os.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
}

// EnterThread moves the calling thread into the group (version 1), so that what
// it starts is born there.
func (g *Group) EnterThread() error {
	for _, dir := range g.v1 {
		if err := os.WriteFile(filepath.Join(dir, "tasks"), []byte("0"), 0); err != nil {
			return fmt.Errorf("entering the control group: %w", err)
		}
	}
	return nil
}

// OOMKills counts how often the kernel killed a process of the group for its memory limit.
func (g *Group) OOMKills() int {
	switch {
	case g.unified != "":
		return counter(filepath.Join(g.unified, "memory.events"))
	case g.v1["memory"] != "":
		return counter(filepath.Join(g.v1["memory"], "memory.oom_control"))
	}
	return 0
}

func counter(path string) int {
	text, _ := os.ReadFile(path)
	for _, line := range strings.Split(string(text), "\n") {
		if value, ok := strings.CutPrefix(line, "oom_kill "); ok {
			n, _ := strconv.Atoi(value)
			return n
		}
	}
	return 0
}

// Dirs lists the directories of the group.
func (g *Group) Dirs() []string {
	var dirs []string
	if g.unified != "" {
		dirs = append(dirs, g.unified)
	}
	for _, dir := range g.v1 {
		dirs = append(dirs, dir)
	}
	return dirs
}

// Remove removes the group, and the groups above it that became empty.
func (g *Group) Remove() { Remove(g.Dirs()) }

// Remove removes groups by directory, and the groups of ours above them that
// became empty. One with processes in it stays.
func Remove(dirs []string) {
	for _, dir := range dirs {
		for strings.Contains(dir, "/"+Top) && removed(dir) {
			dir = filepath.Dir(dir)
		}
	}
}

// RemoveBelow removes the groups below path (slipway/deployment) of the tree and
// that at path itself, for whoever has no list of them. One with processes stays.
func (t Tree) RemoveBelow(path string) {
	roots := slices.Collect(maps.Values(t.V1))
	if t.Unified != "" {
		roots = append(roots, t.Unified)
	}
	for _, root := range roots {
		dir := filepath.Join(root, path)
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if e.IsDir() {
				Remove([]string{filepath.Join(dir, e.Name())})
			}
		}
		Remove([]string{dir})
	}
}

// removed removes one empty group. The kernel takes a moment to let go of a group
// after its last process, or the last group below it, has gone.
func removed(dir string) bool {
	for range 100 {
		err := unix.Rmdir(dir)
		if err == nil || errors.Is(err, unix.ENOENT) {
			return true
		}
		if !errors.Is(err, unix.EBUSY) || inUse(dir) {
			return false
		}
		pause := unix.NsecToTimespec(int64(time.Millisecond))
		_ = unix.Nanosleep(&pause, nil)
	}
	return false
}

// inUse reports whether a group has processes or groups in it.
func inUse(dir string) bool {
	tasks, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil || len(tasks) > 0 {
		return err == nil
	}
	entries, err := os.ReadDir(dir)
	return err != nil || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.IsDir() })
}

// Top is the name of the highest group that is ours.
const Top = "slipway"

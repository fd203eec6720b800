package cgroup

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Tree is where groups can be made on this machine.
type Tree struct {
	Unified string            // directory of the version 2 tree with the controllers, ""
	V1      map[string]string // directory by controller: cpu, memory, pids
}

// Find looks where this process may make groups.
func Find() Tree {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return Tree{}
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return Tree{}
	}
	return find(string(mounts), string(own))
}

var controllers = []string{"cpu", "memory", "pids"}

func find(mountinfo, own string) Tree {
	t := Tree{V1: map[string]string{}}
	groups := ownGroups(own)
	lines := bufio.NewScanner(strings.NewReader(mountinfo))
	for lines.Scan() {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		fields, super := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(super) < 3 {
			continue
		}
		root, point := fields[3], fields[4]
		switch super[0] {
		case "cgroup2":
			if offers(point) && writable(point) {
				t.Unified = point
			}
		case "cgroup":
			for _, c := range controllers {
				if !hasOption(super[2], c) {
					continue
				}
				dir := filepath.Join(point, strings.TrimPrefix(groups[c], strings.TrimSuffix(root, "/")))
				if writable(dir) {
					t.V1[c] = dir
				}
			}
		}
	}
	return t
}

// ownGroups reads /proc/self/cgroup: the path of this process by controller.
func ownGroups(text string) map[string]string {
	groups := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		parts := strings.SplitN(line, ":", 3)
		if len(parts) != 3 {
			continue
		}
		for _, c := range strings.Split(parts[1], ",") {
			groups[c] = parts[2]
		}
	}
	return groups
}

func hasOption(options, name string) bool {
	for _, o := range strings.Split(options, ",") {
		if o == name {
			return true
		}
	}
	return false
}

// offers reports whether a version 2 tree has the controllers that we use: on a
// hybrid machine version 1 holds them.
func offers(point string) bool {
	text, err := os.ReadFile(filepath.Join(point, "cgroup.controllers"))
	return err == nil && len(available(string(text))) > 0
}

func available(text string) []string {
	var found []string
	for _, c := range strings.Fields(text) {
		for _, known := range controllers {
			if c == known {
				found = append(found, c)
			}
		}
	}
	return found
}

func writable(dir string) bool { return unix.Access(dir, unix.W_OK) == nil }

// Limits tells what can be limited: cpu, memory, pids.
func (t Tree) Limits() (cpu, memory, pids bool) {
	can := func(controller string) bool {
		if t.Unified == "" {
			return t.V1[controller] != ""
		}
		text, err := os.ReadFile(filepath.Join(t.Unified, "cgroup.controllers"))
		return err == nil && strings.Contains(" "+strings.TrimSpace(string(text))+" ", " "+controller+" ") && t.enable() == nil
	}
	return can("cpu"), can("memory"), can("pids")
}

// enable hands the controllers down to the groups below the root.
func (t Tree) enable() error { return handDown(t.Unified) }

func handDown(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return err
	}
	var want []string
	for _, c := range available(string(text)) {
		want = append(want, "+"+c)
	}
	return os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte(strings.Join(want, " ")), 0)
}

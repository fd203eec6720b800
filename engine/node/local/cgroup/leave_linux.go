package cgroup

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// keepers is the group of all supervisors, beside those of the deployments.
const keepers = Top + "/supervisors"

// Leave moves this process out of the groups by which a service manager follows
// whoever started it, so that ending that service does not end a deployment:
// version 2 trees, and systemd's own in version 1. Where this user may not do so,
// or sees a part of a tree only, the process stays where it is.
func Leave() {
	for _, dir := range keeperDirs() {
		for range 3 { // somebody may remove the empty group in between
			if os.MkdirAll(dir, 0o755) != nil {
				break
			}
			err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("0"), 0)
			if !errors.Is(err, os.ErrNotExist) {
				break
			}
		}
	}
}

// RemoveKeepers removes the group that Leave made, when no supervisor is left in it.
func RemoveKeepers() { Remove(keeperDirs()) }

func keeperDirs() []string {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	return keeperDirsOf(string(mounts))
}

func keeperDirsOf(mountinfo string) (dirs []string) {
	lines := bufio.NewScanner(strings.NewReader(mountinfo))
	for lines.Scan() {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		fields, super := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(super) < 3 || fields[3] != "/" {
			continue
		}
		follows := super[0] == "cgroup2" || (super[0] == "cgroup" && hasOption(super[2], "name=systemd"))
		if follows && writable(fields[4]) {
			dirs = append(dirs, filepath.Join(fields[4], keepers))
		}
	}
	return dirs
}

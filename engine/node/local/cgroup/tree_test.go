//go:build linux

package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	mk := func(parts ...string) string {
		path := filepath.Join(append([]string{dir}, parts...)...)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	memory, both := mk("memory", "user.slice"), mk("cpu,cpuacct", "a")
	unified := mk("unified")
	mountinfo := fmt.Sprintf(`30 24 0:26 / %[1]s/memory rw,relatime shared:1 - cgroup cgroup rw,memory
31 24 0:27 / %[1]s/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
32 24 0:28 / %[1]s/absent rw,relatime - cgroup cgroup rw,pids
33 24 0:29 / %[1]s/unified rw,relatime - cgroup2 cgroup2 rw
34 24 0:30 / /home rw - ext4 /dev/x rw`, dir)
	own := "5:memory:/user.slice\n4:cpu,cpuacct:/a\n3:pids:/\n0::/\n"
	got := find(mountinfo, own)
	if got.Unified != "" || len(got.V1) != 2 || got.V1["memory"] != memory || got.V1["cpu"] != both {
		t.Errorf("hybrid: %+v", got)
	}
	if err := os.WriteFile(filepath.Join(unified, "cgroup.controllers"), []byte("cpuset cpu memory pids\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := find(mountinfo, own); got.Unified != unified {
		t.Errorf("version 2: %+v", got)
	}
}

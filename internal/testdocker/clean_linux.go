package testdocker

import (
	"bufio"
	"errors"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
)

// prefix of the directories; the process that made one follows.
const prefix = "slipway-docker-"

// removeStale removes what test processes left that were killed.
func removeStale() {
	dirs, err := filepath.Glob("/tmp/" + prefix + "*-*")
	if err != nil {
		return
	}
	for _, dir := range dirs {
		maker, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), prefix), "-")
		pid, err := strconv.Atoi(maker)
		if err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
			removeAll(dir)
		}
	}
}

// lastRites names a script in the directory to run before all else.
const lastRites = "last-rites.sh"

// removeAll ends every process of the Engine in dir, takes down its networks, and
// removes its files.
func removeAll(dir string) {
	if script := filepath.Join(dir, lastRites); exists(script) {
		_ = exec.Command("sh", script).Run()
	}
	for range 100 {
		pids := processesOf(dir)
		if len(pids) == 0 {
			break
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(20 * time.Millisecond)
	}
	removeBridges(dir)
	for _, mount := range mountsBelow(dir) {
		_ = syscall.Unmount(mount, syscall.MNT_DETACH)
	}
	removeGroups(filepath.Base(dir))
	_ = os.RemoveAll(dir)
}

// poolFile names the Engine's address pool in its directory.
const poolFile = "pool"

// removeBridges takes down the bridges of networks that were still there when the
// Engine was killed: they would keep its pool from every other Engine.
func removeBridges(dir string) {
	text, err := os.ReadFile(filepath.Join(dir, poolFile))
	pool, invalid := netip.ParsePrefix(string(text))
	if err != nil || invalid != nil {
		return
	}
	for _, bridge := range bridgesIn(pool) {
		_ = netlink.LinkDel(bridge)
	}
}

// bridgesIn lists the bridges that have an address of the pool, which nobody else
// on the machine had when the Engine took it.
func bridgesIn(pool netip.Prefix) (all []netlink.Link) {
	var addresses []netlink.Addr
	var err error = netlink.ErrDumpInterrupted
	for tries := 0; errors.Is(err, netlink.ErrDumpInterrupted) && tries < 100; tries++ { // others make networks too
		addresses, err = netlink.AddrList(nil, netlink.FAMILY_V4)
	}
	for _, a := range addresses {
		if !within(pool, a.IPNet) {
			continue
		}
		if link, err := netlink.LinkByIndex(a.LinkIndex); err == nil && link.Type() == "bridge" {
			all = append(all, link)
		}
	}
	return all
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// processesOf finds the daemon's processes by its directory in their command line,
// and those of containers by its control group.
func processesOf(dir string) []int {
	var pids []int
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		text, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(text), dir+"/") {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && pid != os.Getpid() {
				pids = append(pids, pid)
			}
		}
	}
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, e os.DirEntry, err error) error {
		if err != nil || e.Name() != "cgroup.procs" || !strings.Contains(path, "/"+filepath.Base(dir)+"/") {
			return nil
		}
		text, _ := os.ReadFile(path)
		for _, line := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(line); err == nil {
				pids = append(pids, pid)
			}
		}
		return nil
	})
	return pids
}

// mountsBelow lists mounts, the deepest first.
func mountsBelow(dir string) []string {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	defer f.Close()
	var all []string
	for s := bufio.NewScanner(f); s.Scan(); {
		if fields := strings.Fields(s.Text()); len(fields) > 4 && strings.HasPrefix(fields[4], dir+"/") {
			all = append(all, fields[4])
		}
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

func removeGroups(name string) {
	var groups []string
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, e os.DirEntry, err error) error {
		if err == nil && e.IsDir() && (e.Name() == name || strings.Contains(path, "/"+name+"/")) {
			groups = append(groups, path)
		}
		return nil
	})
	slices.Reverse(groups)
	for _, g := range groups {
		_ = syscall.Rmdir(g)
	}
}

package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// process is one of the machine's that has to do with a world.
type process struct {
	pid, parent int
	command     string
	instance    string // name of the instance whose root it has, ""
}

func (p process) String() string {
	return fmt.Sprintf("%d (of %d) %s instance %q", p.pid, p.parent, p.command, p.instance)
}

// census is what a world has on the machine.
type census struct {
	all         []process
	terraforms  []process
	providers   []process
	supervisors []process
	instances   map[string][]process // by name
	others      []process            // nobody knows what these are
	existing    []string             // names of instances, running or not
	sandboxes   []string             // directories or networks of deployments
	cgroups     []string
	mounts      []string
}

// census counts what there is now.
func (w *world) census() census {
	c := census{instances: map[string][]process{}}
	for _, p := range w.processes() {
		c.all = append(c.all, p)
		switch {
		case p.instance != "":
			c.instances[p.instance] = append(c.instances[p.instance], p)
		case strings.Contains(p.command, " supervise "):
			c.supervisors = append(c.supervisors, p)
		case strings.Contains(p.command, "terraform-provider-slipway"):
			c.providers = append(c.providers, p)
		case strings.HasPrefix(p.command, program+" "):
			c.terraforms = append(c.terraforms, p)
		default:
			c.others = append(c.others, p)
		}
	}
	w.on.see(w, &c)
	return c
}

// cgroupsOf finds the control groups that carry the name of a sandbox.
func cgroupsOf(sandboxes map[string]bool) (found []string) {
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && sandboxes[d.Name()] {
			found = append(found, path)
		}
		return nil
	})
	return found
}

var upperOf = regexp.MustCompile(`upperdir=[^, ]*/i/([^/, ]+)/u`)

// processes lists all that have the world's directory in their command, working
// directory or root file system. Zombies have nothing any more.
func (w *world) processes() (all []process) {
	places, _ := filepath.Glob("/proc/[0-9]*")
	for _, place := range places {
		pid, _ := strconv.Atoi(filepath.Base(place))
		raw, _ := os.ReadFile(place + "/cmdline")
		p := process{pid: pid, parent: parentOf(place), command: strings.TrimSpace(strings.ReplaceAll(string(raw), "\x00", " "))}
		cwd, _ := os.Readlink(place + "/cwd")
		root := rootMount(place)
		inside := strings.Contains(root, w.data+"/")
		if m := upperOf.FindStringSubmatch(root); inside && m != nil {
			p.instance = m[1]
		}
		if pid != os.Getpid() && (inside || strings.Contains(p.command, w.dir+"/") || strings.HasPrefix(cwd+"/", w.dir+"/")) {
			all = append(all, p)
		}
	}
	return all
}

func parentOf(place string) int {
	stat, _ := os.ReadFile(place + "/stat")
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(fields[1])
	return parent
}

// rootMount is the line of what is mounted on a process's root.
func rootMount(place string) string {
	mounts, _ := os.ReadFile(place + "/mountinfo")
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 4 && fields[4] == "/" {
			return line
		}
	}
	return ""
}

// settled says why what runs is not exactly one process for each of the wanted
// instances, given by component, in one deployment, nil when it is.
func (w *world) settled(components map[string]int) error {
	c := w.census()
	running := map[string]int{}
	for name, processes := range c.instances {
		running[componentOf(name)]++
		if len(processes) != 1 {
			return fmt.Errorf("instance %s has %d processes: %v", name, len(processes), processes)
		}
	}
	here := map[string]int{}
	for _, name := range c.existing {
		here[componentOf(name)]++
	}
	switch {
	case !maps.Equal(running, components):
		return fmt.Errorf("instances that run: %v, want %v", running, components)
	case !maps.Equal(here, components):
		return fmt.Errorf("instances that there are: %v, want %v", c.existing, components)
	case len(c.supervisors) != w.on.supervisors || len(c.sandboxes) != 1:
		return fmt.Errorf("supervisors %v, deployments %v, want one deployment", c.supervisors, c.sandboxes)
	}
	return w.idle(c)
}

// idle says what else there is.
func (w *world) idle(c census) error {
	if strays := slices.Concat(c.terraforms, c.providers, c.others); len(strays) > 0 {
		return fmt.Errorf("processes that should be gone: %v", strays)
	}
	return nil
}

// nothingLeft says what is left after destroy, nil when it is retained volumes at most.
func (w *world) nothingLeft() error {
	c := w.census()
	if len(c.all)+len(c.existing)+len(c.sandboxes)+len(c.cgroups)+len(c.mounts) > 0 {
		return fmt.Errorf("left: processes %v, instances %v, deployments %v, control groups %v, mounts %v", c.all, c.existing, c.sandboxes, c.cgroups, c.mounts)
	}
	return nil
}

// expectSettled waits a moment for what ends by itself.
func (w *world) expectSettled(components map[string]int) {
	w.t.Helper()
	until(w.t, patience, func() error { return w.settled(components) })
}

func (w *world) expectNothingLeft() {
	w.t.Helper()
	until(w.t, patience, w.nothingLeft)
}

// pidOf is the process of the component's only instance.
func (w *world) pidOf(component string) int {
	w.t.Helper()
	var pid int
	until(w.t, patience, func() error {
		for name, processes := range w.census().instances {
			if componentOf(name) == component {
				pid = processes[0].pid
				return nil
			}
		}
		return errors.New("no process of " + component)
	})
	return pid
}

// componentOf cuts revision and ordinal off an instance's name.
func componentOf(instance string) string {
	parts := strings.Split(instance, "-")
	return strings.Join(parts[:max(len(parts)-2, 1)], "-")
}

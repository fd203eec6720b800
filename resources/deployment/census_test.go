package deployment_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

// sandboxes are the names of the deployments' places on the local node: their
// directories, and their control groups, are called so.
func (w *world) sandboxes() []string {
	w.t.Helper()
	labels, err := filepath.Glob(filepath.Join(w.dir, "nodes", "*", "*", "d", "*"))
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, path := range labels {
		names = append(names, filepath.Base(path))
	}
	return names
}

// left tells what is on the machine of deployments that have gone.
func (w *world) left(sandboxes []string) (found []string) {
	for _, name := range w.sandboxes() {
		found = append(found, "directory "+name)
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, path := range processes { // those that have ended meanwhile have nothing to say
		command, _ := os.ReadFile(path + "/cmdline")
		if strings.Contains(string(command), w.dir+"/nodes") {
			found = append(found, "process "+strings.ReplaceAll(string(command), "\x00", " "))
		}
		mounts, _ := os.ReadFile(path + "/mountinfo")
		if strings.Contains(string(mounts), w.dir) {
			found = append(found, "mount of process "+strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && slices.Contains(sandboxes, d.Name()) {
			found = append(found, "control group "+path)
		}
		return nil
	})
	return found
}

// volumes are the names of the volumes that the node keeps.
func (w *world) volumes() []string {
	w.t.Helper()
	paths, err := filepath.Glob(filepath.Join(w.dir, "nodes", "*", "*", "v", "*", "*"))
	if err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	return names
}

// remains compares what is on the machine while deployments run with what they leave.
type remains struct {
	w         *world
	sandboxes []string
}

// look remembers what there is now; it is for a step's Check, and fails when
// this census does not even see a deployment that runs.
func (r *remains) look(*terraform.State) error {
	r.sandboxes = r.w.sandboxes()
	left := strings.Join(r.w.left(r.sandboxes), ", ")
	for _, kind := range []string{"directory", "process", "mount"} {
		if !strings.Contains(left, kind+" ") {
			return fmt.Errorf("the census sees no %s of a deployment that runs, only: %s", kind, left)
		}
	}
	return nil
}

// expect expects nothing to be left but these volumes, component.volume.
func (r *remains) expect(volumes ...string) {
	r.w.t.Helper()
	if left := r.w.left(r.sandboxes); len(left) > 0 {
		r.w.t.Errorf("left on the node: %s", strings.Join(left, ", "))
	}
	if kept := r.w.volumes(); !slices.Equal(kept, volumes) {
		r.w.t.Errorf("volumes kept: %v, want %v", kept, volumes)
	}
}

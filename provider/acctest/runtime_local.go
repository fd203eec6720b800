package acctest

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local"
)

func openLocal(t *testing.T, at *Runtime) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("local nodes need Linux")
	}
	at.is("local = {}")
	at.SharedPorts = true
	at.MemoryLimits = os.Geteuid() == 0 // they need control groups
	at.Sights = []string{"directory", "process", "mount"}
	at.Stage = &localStage{dir: at.DataDir, deployment: at.Deployment(), seen: map[string]bool{}}
}

// localStage is the part of a data directory, and of the machine, that belongs to a
// deployment. Nothing else uses that data directory.
type localStage struct {
	dir, deployment string
	seen            map[string]bool // names of directories, and so of control groups, that there were
}

// Instances implements Stage.
func (s *localStage) Instances(t testing.TB) []string { return s.names(t, "d", "*", "i", "*") }

// Volumes implements Stage.
func (s *localStage) Volumes(t testing.TB) []string { return s.names(t, "v", "*", "*") }

// names are the last parts of what matches below the nodes.
func (s *localStage) names(t testing.TB, pattern ...string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(append([]string{s.dir, "nodes", "*", "*"}, pattern...)...))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	slices.Sort(names)
	return names
}

// Left implements Stage.
func (s *localStage) Left(t testing.TB) (found []string) {
	t.Helper()
	for _, name := range s.names(t, "d", "*") {
		s.seen[name] = true
		found = append(found, "directory "+name)
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range processes { // those that have ended meanwhile have nothing to say
		raw, _ := os.ReadFile(path + "/cmdline")
		command := strings.ReplaceAll(string(raw), "\x00", " ")
		if strings.Contains(command, s.dir+"/nodes") {
			found = append(found, "process "+command)
		}
		mounts, _ := os.ReadFile(path + "/mountinfo")
		if strings.Contains(string(mounts), s.dir) {
			found = append(found, "mount of process "+command)
		}
	}
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && s.seen[d.Name()] {
			found = append(found, "control group "+path)
		}
		return nil
	})
	return found
}

// Remove implements Stage.
func (s *localStage) Remove(t testing.TB, instance string) {
	t.Helper()
	driver, err := local.New(local.Config{
		Root: filepath.Join(s.dir, "nodes", "acme", "here"), EngineID: Engine(t, s.dir).EngineID()})
	if err != nil {
		t.Fatal(err)
	}
	key := node.Key{Deployment: s.deployment, Name: instance}
	if err := driver.Stop(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if err := driver.Remove(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

// Alter implements Stage: it edits the instance's record.
func (s *localStage) Alter(t testing.TB, instance string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(s.dir, "nodes", "*", "*", "d", "*", "i", instance, "spec.json"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("records of %s: %v (%v)", instance, paths, err)
	}
	raw, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	edited := bytes.Replace(raw, []byte("@sha256:"), []byte("-evil@sha256:"), 1)
	if bytes.Equal(raw, edited) {
		t.Fatalf("%s names no image", paths[0])
	}
	if err := os.WriteFile(paths[0], edited, 0o600); err != nil {
		t.Fatal(err)
	}
	return "its spec.json was edited"
}

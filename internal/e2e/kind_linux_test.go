package e2e

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	moby "github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

// nodeKind is what the node of a world runs instances on; what differs from one to
// another is here.
type nodeKind struct {
	name        string
	variables   map[string]string // of the configuration
	supervisors int               // of a deployment, processes of this machine
	// hops: a published port is one instance's own. While it goes to another
	// nobody answers, and then that one, proven or not.
	hops    bool
	rounds  int                   // how many applies are killed
	victims []victim              // who else may be killed than terraform and its provider
	files   []string              // that secrets are looked for in, besides terraform's and the engine's
	see     func(*world, *census) // adds what there is of deployments
}

var local = nodeKind{
	name: "local", supervisors: 1, files: []string{"spec.json"}, see: (*world).seeLocal,
	variables: map[string]string{"prefix": "shop"},
	rounds:    50, victims: []victim{{"supervisor", func(c census) []process { return c.supervisors }}},
}

// docker is a node on the Docker Engine that tests share, with a prefix that
// nobody else has there.
func docker(t *testing.T) nodeKind {
	t.Helper()
	e := testdocker.Shared(t)
	prefix := "shop-" + strings.ToLower(rand.Text()[:6])
	api := e.Client(t)
	return nodeKind{
		name: "docker", hops: true, rounds: 8,
		variables: map[string]string{"docker": e.Host, "prefix": prefix},
		see:       func(w *world, c *census) { w.seeDocker(c, api, prefix) },
	}
}

// everywhere tells a scenario on local and on Docker nodes, side by side.
func everywhere(t *testing.T, scenario func(*testing.T, nodeKind)) {
	t.Helper()
	t.Parallel()
	t.Run("local", func(t *testing.T) {
		t.Parallel()
		scenario(t, local)
	})
	t.Run("docker", func(t *testing.T) {
		t.Parallel()
		scenario(t, docker(t))
	})
}

// newWorld prepares a working directory for a node of that kind.
func (k nodeKind) newWorld(t testing.TB, configuration string) *world {
	t.Helper()
	return newWorldOf(t, os.Getuid(), k, configuration)
}

// seeLocal finds the directories of deployments and instances, and what the
// kernel has of them.
func (w *world) seeLocal(c *census) {
	c.sandboxes, _ = filepath.Glob(filepath.Join(w.data, "nodes/*/*/d/*"))
	for _, sandbox := range c.sandboxes {
		instances, _ := filepath.Glob(filepath.Join(sandbox, "i/*"))
		for _, dir := range instances {
			c.existing = append(c.existing, filepath.Base(dir))
		}
		w.seen[filepath.Base(sandbox)] = true
	}
	c.cgroups = cgroupsOf(w.seen)
	own, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(own)) {
		if strings.Contains(line, w.dir) {
			c.mounts = append(c.mounts, line)
		}
	}
}

// seeDocker finds containers, networks and volumes by the prefix, in their names
// or in the labels.
func (w *world) seeDocker(c *census, api *moby.Client, prefix string) {
	w.t.Helper()
	ctx := context.WithoutCancel(w.t.Context())
	ours := func(name string, labels map[string]string) bool {
		return strings.Contains(labels["slipway.deployment"], "/"+prefix) || strings.Contains(name, prefix)
	}
	containers, err := api.ContainerList(ctx, moby.ContainerListOptions{All: true})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, one := range containers.Items {
		name := strings.Join(one.Names, " ")
		if !ours(name, one.Labels) {
			continue
		}
		if instance := one.Labels["slipway.instance"]; instance != "" {
			name = instance
		}
		c.existing = append(c.existing, name)
		found, err := api.ContainerInspect(ctx, one.ID, moby.ContainerInspectOptions{})
		if err == nil && found.Container.State.Pid != 0 { // else it ends or waits
			c.instances[name] = append(c.instances[name], process{pid: found.Container.State.Pid, command: "container " + name, instance: name})
		}
	}
	networks, err := api.NetworkList(ctx, moby.NetworkListOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, one := range networks.Items {
		if ours(one.Name, one.Labels) {
			c.sandboxes = append(c.sandboxes, "network "+one.Name)
		}
	}
	slices.Sort(c.existing)
}

package acctest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/volume"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

func openDocker(t *testing.T, at *Runtime) {
	t.Helper()
	e := testdocker.Shared(t)
	at.onEngine(t, e, fmt.Sprintf("docker = { host = %q }", e.Host))
}

// OnEngine is the runtime on a Docker Engine that is reached in some way; declared
// is how slipway_node.here says so.
func OnEngine(t *testing.T, e *testdocker.Engine, declared string) *Runtime {
	t.Helper()
	return newRuntime(t, "docker", func(_ *testing.T, at *Runtime) { at.onEngine(t, e, declared) })
}

// onEngine leaves no volume behind that destroy keeps.
func (at *Runtime) onEngine(t *testing.T, e *testdocker.Engine, declared string) {
	t.Helper()
	at.is(declared)
	at.MemoryLimits = true
	at.Sights = []string{"container", "network"}
	stage := &dockerStage{api: e.Client(t), deployment: at.Deployment(), prefix: at.Product}
	at.Stage = stage
	t.Cleanup(func() { stage.removeVolumes(t) })
}

// dockerStage is what a Docker Engine has of a deployment: by its label, and, in
// case something forgot that, by its prefix.
type dockerStage struct {
	api                *client.Client
	deployment, prefix string
}

func (s *dockerStage) owns(labels map[string]string, name string) bool {
	return labels["slipway.deployment"] == s.deployment || strings.HasPrefix(name+"-", s.prefix+"-") || strings.HasPrefix(name+"-", "slipway-"+s.prefix+"-")
}

// Instances implements Stage.
func (s *dockerStage) Instances(t testing.TB) []string {
	t.Helper()
	var names []string
	for _, name := range s.containers(t) {
		names = append(names, strings.TrimPrefix(name, s.prefix+"-"))
	}
	return names
}

func (s *dockerStage) containers(t testing.TB) (names []string) {
	t.Helper()
	all, err := s.api.ContainerList(context.WithoutCancel(t.Context()), client.ContainerListOptions{All: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all.Items {
		if name := strings.TrimPrefix(strings.Join(c.Names, " "), "/"); s.owns(c.Labels, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Left implements Stage.
func (s *dockerStage) Left(t testing.TB) (found []string) {
	t.Helper()
	for _, name := range s.containers(t) {
		found = append(found, "container "+name)
	}
	networks, err := s.api.NetworkList(context.WithoutCancel(t.Context()), client.NetworkListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range networks.Items {
		if s.owns(n.Labels, n.Name) {
			found = append(found, "network "+n.Name)
		}
	}
	return found
}

// Volumes implements Stage.
func (s *dockerStage) Volumes(t testing.TB) (names []string) {
	t.Helper()
	for _, v := range s.volumes(t) {
		names = append(names, strings.ReplaceAll(v.Labels["slipway.volume"], "/", "."))
	}
	slices.Sort(names)
	return names
}

func (s *dockerStage) volumes(t testing.TB) (found []volume.Volume) {
	t.Helper()
	all, err := s.api.VolumeList(context.WithoutCancel(t.Context()), client.VolumeListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all.Items {
		if s.owns(v.Labels, v.Name) {
			found = append(found, v)
		}
	}
	return found
}

func (s *dockerStage) removeVolumes(t testing.TB) {
	t.Helper()
	for _, v := range s.volumes(t) {
		if _, err := s.api.VolumeRemove(context.WithoutCancel(t.Context()), v.Name, client.VolumeRemoveOptions{}); err != nil {
			t.Log(err)
		}
	}
}

// Remove implements Stage.
func (s *dockerStage) Remove(t testing.TB, instance string) {
	t.Helper()
	if _, err := s.api.ContainerRemove(context.WithoutCancel(t.Context()), s.prefix+"-"+instance, client.ContainerRemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
}

// Alter implements Stage: it pauses the container.
func (s *dockerStage) Alter(t testing.TB, instance string) string {
	t.Helper()
	if _, err := s.api.ContainerPause(context.WithoutCancel(t.Context()), s.prefix+"-"+instance, client.ContainerPauseOptions{}); err != nil {
		t.Fatal(err)
	}
	return "is paused"
}

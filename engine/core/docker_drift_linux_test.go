package core_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// driftScene is a deployment on a Docker Engine, and somebody else at that Engine.
type driftScene struct {
	*testing.T
	docker *client.Client
	engine *core.Engine
	dir    string
	wanted engine.Deployment
}

// newDriftScene has web, which publishes a port and keeps data, and two api.
func newDriftScene(t *testing.T) *driftScene {
	t.Helper()
	d := testdocker.Shared(t)
	registry := testimage.Registry(t, testimage.RegistryOptions{})
	registry.Push(t, "app:1", testimage.App(t, "1", nil))
	check := map[string]engine.HealthCheck{"up": {HTTP: &engine.HTTPCheck{Port: 8080, Path: "/healthz"}}}
	image, zero, two := registry.URL()+"/app:1", 0, 2
	s := &driftScene{T: t, docker: d.Client(t), dir: t.TempDir()}
	s.open()
	ctx := t.Context()
	s.must(furnish(ctx, s.engine, dockerNode(d, 0), registry, engine.EnvironmentStaging))
	version, err := s.engine.CreateVersion(ctx, engine.Version{
		ProductID: "acme/shop", Name: "1.0.0", Type: engine.VersionIncremental, Status: engine.VersionActive,
		Components: map[string]engine.Component{
			"web": {Image: image, HealthChecks: check, Env: map[string]string{"LEVEL": "gold"}, Labels: map[string]string{"owner": "ann"},
				Ports: map[string]engine.Port{"http": {ContainerPort: 8080, HostPort: &zero}}, Resources: &engine.Resources{Memory: "64Mi"},
				Volumes: map[string]engine.Volume{"data": {Path: "/data"}}},
			"api": {Image: image, HealthChecks: check, Replicas: &two},
		}})
	s.must(err)
	s.wanted = engine.Deployment{EnvironmentID: "acme/test", Version: version.ID, Prefix: "drifting", Strategy: engine.Strategy{
		Type: "rolling", MaxParallel: 2, MinHealthyTime: "10ms", ProgressDeadline: "2m", DrainTimeout: "0s", AutoRollback: true}}
	_, err = s.engine.CreateDeployment(ctx, s.wanted, nil)
	s.must(err)
	t.Cleanup(func() { s.must(s.engine.DeleteDeployment(context.Background(), "acme/test/drifting")) })
	return s
}

// open opens the engine as the next provider process does.
func (s *driftScene) open() {
	s.Helper()
	if s.engine != nil {
		_ = s.engine.Close()
	}
	var err error
	s.engine, err = core.Open(s.Context(), core.Config{DataDir: s.dir})
	s.must(err)
}

func (s *driftScene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// containers are those of a component by the instance's name.
func (s *driftScene) containers(component string) map[string]container.InspectResponse {
	s.Helper()
	list, err := s.docker.ContainerList(s.Context(), client.ContainerListOptions{All: true, Filters: make(client.Filters).
		Add("label", "slipway.engine="+s.engine.EngineID(), "slipway.component="+component)})
	s.must(err)
	all := map[string]container.InspectResponse{}
	for _, c := range list.Items {
		found, err := s.docker.ContainerInspect(s.Context(), c.ID, client.ContainerInspectOptions{})
		s.must(err)
		all[c.Labels["slipway.instance"]] = found.Container
	}
	return all
}

// remade is what people do who change what Docker cannot change: the container is
// removed, and one like it made.
func (s *driftScene) remade(c container.InspectResponse, name string, change func(*container.Config, *container.HostConfig)) {
	s.Helper()
	if "/"+name == c.Name {
		_, err := s.docker.ContainerRemove(s.Context(), c.ID, client.ContainerRemoveOptions{Force: true})
		s.must(err)
	}
	config, host := *c.Config, *c.HostConfig
	config.Labels = maps.Clone(config.Labels)
	host.PortBindings = maps.Clone(host.PortBindings)
	change(&config, &host)
	_, err := s.docker.ContainerCreate(s.Context(), client.ContainerCreateOptions{Name: name, Config: &config, HostConfig: &host})
	s.must(err)
	_, err = s.docker.ContainerStart(s.Context(), name, client.ContainerStartOptions{})
	s.must(err)
}

// change is one thing that somebody does to a container, by its instance's name.
type change struct {
	kind, component string
	drift           string // with %[1]s for the instance, %[2]s for its container's name
	do              func(s *driftScene, name string, c container.InspectResponse)
}

// again is a change that makes the container anew.
func again(change func(*container.Config, *container.HostConfig)) func(*driftScene, string, container.InspectResponse) {
	return func(s *driftScene, _ string, c container.InspectResponse) {
		s.Helper()
		s.remade(c, strings.TrimPrefix(c.Name, "/"), change)
	}
}

// to is a change by one call.
func to(do func(ctx context.Context, d *client.Client, id string) error) func(*driftScene, string, container.InspectResponse) {
	return func(s *driftScene, _ string, c container.InspectResponse) {
		s.Helper()
		s.must(do(s.Context(), s.docker, c.ID))
	}
}

var changes = []change{
	{"image", "web", "web: instance %[1]s image is slipway-drift:mine", func(s *driftScene, _ string, c container.InspectResponse) {
		_, err := s.docker.ImageTag(s.Context(), client.ImageTagOptions{Source: c.Image, Target: "slipway-drift:mine"})
		s.must(err)
		s.remade(c, strings.TrimPrefix(c.Name, "/"), func(c *container.Config, _ *container.HostConfig) { c.Image = "slipway-drift:mine" })
	}},
	{"env", "web", "web: instance %[1]s environment variable LEVEL has another value", again(func(c *container.Config, _ *container.HostConfig) {
		c.Env = append(slices.DeleteFunc(slices.Clone(c.Env), func(v string) bool { return v == "LEVEL=gold" }), "LEVEL=lead")
	})},
	{"memory", "web", "web: instance %[1]s memory is 33554432 bytes", to(func(ctx context.Context, d *client.Client, id string) error {
		_, err := d.ContainerUpdate(ctx, id, client.ContainerUpdateOptions{Resources: &container.Resources{Memory: 32 << 20, MemorySwap: 32 << 20}})
		return err
	})},
	{"network left", "web", "web: instance %[1]s is not in network slipway-drifting", to(func(ctx context.Context, d *client.Client, id string) error {
		_, err := d.NetworkDisconnect(ctx, "slipway-drifting", client.NetworkDisconnectOptions{Container: id})
		return err
	})},
	{"network joined", "web", "web: instance %[1]s is also in network slipway-drift-elsewhere", to(func(ctx context.Context, d *client.Client, id string) error {
		_, err := d.NetworkCreate(ctx, "slipway-drift-elsewhere", client.NetworkCreateOptions{Driver: "bridge"})
		if err == nil {
			_, err = d.NetworkConnect(ctx, "slipway-drift-elsewhere", client.NetworkConnectOptions{Container: id})
		}
		return err
	})},
	{"pause", "web", "web: instance %[1]s is paused", to(func(ctx context.Context, d *client.Client, id string) error {
		_, err := d.ContainerPause(ctx, id, client.ContainerPauseOptions{})
		return err
	})},
	{"rename", "web", "web: instance %[1]s name is slipway-drift-mine", to(func(ctx context.Context, d *client.Client, id string) error {
		_, err := d.ContainerRename(ctx, id, client.ContainerRenameOptions{NewName: "slipway-drift-mine"})
		return err
	})},
	{"stop", "web", "web: instance %[1]s is stopped (exit code 0)", to(func(ctx context.Context, d *client.Client, id string) error {
		patience := 60
		_, err := d.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: &patience})
		return err
	})},
	{"removal", "web", "web: instance is gone", to(func(ctx context.Context, d *client.Client, id string) error {
		_, err := d.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true})
		return err
	})},
	{"ports", "web", "web: instance %[1]s port 8080/tcp is not published", again(func(_ *container.Config, h *container.HostConfig) {
		h.PortBindings = nil
	})},
	{"mounts", "web", "web: instance %[1]s mount is missing: volume drifting-web-data /data", again(func(_ *container.Config, h *container.HostConfig) {
		h.Mounts = []mount.Mount{}
	})},
	{"labels", "web", "web: instance %[1]s label owner has another value", again(func(c *container.Config, _ *container.HostConfig) {
		c.Labels["owner"] = "bob"
	})},
	{"replicas", "api", "api: 1 of 2 instances are gone", to(func(ctx context.Context, d *client.Client, id string) error {
		_, err := d.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true})
		return err
	})},
	{"extra instance", "api", "api: extra instance api-9-1", func(s *driftScene, _ string, c container.InspectResponse) {
		s.remade(c, "drifting-api-9-1", func(c *container.Config, h *container.HostConfig) {
			c.Hostname, c.Labels["slipway.instance"] = "", "api-9-1"
			h.PortBindings = network.PortMap{}
		})
	}},
	{"copy", "api", "api: instance %[1]s has a copy, container slipway-drift-copy", func(s *driftScene, _ string, c container.InspectResponse) {
		s.remade(c, "slipway-drift-copy", func(c *container.Config, _ *container.HostConfig) { c.Hostname = "" })
	}},
}

// What people change by hand on a Docker Engine is named, and the next apply
// repairs it and nothing else.
func TestDockerDrift(t *testing.T) {
	t.Parallel()
	s := newDriftScene(t)
	t.Cleanup(func() {
		_, _ = s.docker.NetworkRemove(context.Background(), "slipway-drift-elsewhere", client.NetworkRemoveOptions{})
		_, _ = s.docker.ImageRemove(context.Background(), "slipway-drift:mine", client.ImageRemoveOptions{})
	})
	address := s.observed().Endpoints["web/http"].URL
	s.put(address, "kept")
	for _, c := range changes {
		other := map[string]string{"web": "api", "api": "web"}[c.component]
		before := s.containers(other)
		name := slices.Min(slices.Collect(maps.Keys(s.containers(c.component))))
		c.do(s, name, s.containers(c.component)[name])
		s.open()
		want := c.drift
		if strings.Contains(want, "%") {
			want = fmt.Sprintf(want, name)
		}
		if got := s.observed().Drift; !slices.Equal(got, []string{want}) {
			t.Errorf("%s: the drift is %q, want %q", c.kind, got, want)
		}
		_, err := s.engine.UpdateDeployment(t.Context(), s.wanted, nil)
		s.must(err)
		s.open()
		after := s.observed()
		if len(after.Drift) > 0 || after.Health != engine.HealthHealthy || len(s.containers("web")) != 1 || len(s.containers("api")) != 2 {
			t.Errorf("%s: after the repair: %+v, containers %v and %v", c.kind, after, s.names("web"), s.names("api"))
		}
		if got := s.get(address); got != "kept" {
			t.Errorf("%s: after the repair the data is %q", c.kind, got)
		}
		now := s.containers(other)
		for name, c := range before {
			if now[name].ID != c.ID || now[name].State.StartedAt != c.State.StartedAt {
				t.Errorf("%s was touched", name)
			}
		}
		t.Logf("%-15s %-80s repaired", c.kind, want)
	}
}

func (s *driftScene) names(component string) []string {
	return slices.Sorted(maps.Keys(s.containers(component)))
}

func (s *driftScene) observed() engine.DeploymentStatus {
	s.Helper()
	d, err := s.engine.Deployment(s.Context(), "acme/test/drifting")
	s.must(err)
	return d.Observed
}

// put writes into web's volume, get reads from it.
func (s *driftScene) put(address, text string) {
	s.Helper()
	answer, err := (&http.Client{Timeout: time.Minute}).Get(address + "/write?path=/data/x&text=" + text)
	s.must(err)
	answer.Body.Close()
}

func (s *driftScene) get(address string) string {
	s.Helper()
	answer, err := (&http.Client{Timeout: time.Minute}).Get(address + "/read?path=/data/x")
	s.must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	s.must(err)
	return strings.TrimSpace(string(text))
}

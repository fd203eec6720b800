package docker_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// A container that the Engine makes late, for a call that was cut off, keeps no
// deployment from being removed.
func TestRemoveWhatComesLate(t *testing.T) {
	t.Parallel()
	e := daemon(t)
	api := e.Client(t)
	waited := func() {}
	config := over(e.Host)
	config.After = func(time.Duration) <-chan time.Time {
		waited()
		return time.After(0)
	}
	b := newBench(t, open(t, config))
	c := idle()
	c.Volumes = map[string]engine.Volume{"data": {Path: "/data"}}
	b.start("api-1-1", 1, c)
	hold := func(labels map[string]string) string { // a container that never runs has the volume
		made, err := api.ContainerCreate(t.Context(), client.ContainerCreateOptions{
			Config: &container.Config{Image: b.images.App.Reference, Entrypoint: []string{"/none"}, Labels: labels},
			HostConfig: &container.HostConfig{NetworkMode: "none",
				Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: engine.BaseName(b.deployment) + "-api-data", Target: "/data"}}},
		})
		b.ok(err)
		return made.ID
	}
	other := hold(nil)
	waited = sync.OnceFunc(func() { // now it is one of the deployment's own that has the volume
		hold(map[string]string{"slipway.engine": engineID, "slipway.deployment": b.deployment})
		_, err := api.ContainerRemove(t.Context(), other, client.ContainerRemoveOptions{Force: true})
		b.ok(err)
	})
	b.ok(b.RemoveDeployment(t.Context(), b.deployment, []string{"api/data"}))
	for _, thing := range e.Things(t) {
		if strings.Contains(thing, engine.BaseName(b.deployment)) {
			t.Errorf("left: %s", thing)
		}
	}
}

package docker_test

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// byHand is somebody at the Docker Engine, behind Slipway's back.
type byHand struct {
	*testing.T
	*client.Client
	name string
	made container.InspectResponse
}

func (h *byHand) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// again removes the container and makes another one like it, with a change.
func (h *byHand) again(change func(*container.Config, *container.HostConfig)) {
	h.Helper()
	_, err := h.ContainerRemove(h.Context(), h.name, client.ContainerRemoveOptions{Force: true})
	h.ok(err)
	config, host := *h.made.Config, *h.made.HostConfig
	config.Labels = maps.Clone(config.Labels)
	change(&config, &host)
	_, err = h.ContainerCreate(h.Context(), client.ContainerCreateOptions{Name: h.name, Config: &config, HostConfig: &host})
	h.ok(err)
}

func (h *byHand) update(r container.Resources) {
	h.Helper()
	_, err := h.ContainerUpdate(h.Context(), h.name, client.ContainerUpdateOptions{Resources: &r})
	h.ok(err)
}

// Everything that people change by hand is told in words, and only that.
func TestAltered(t *testing.T) {
	t.Parallel()
	d := daemon(t)
	b := newBench(t, open(t, over(d.Host)))
	c := idle()
	c.Resources = &engine.Resources{Memory: "64Mi", CPU: ptr(0.5), Pids: ptr(100)}
	c.Env = map[string]string{"LEVEL": "gold", "TIER": "1"}
	c.Labels = map[string]string{"owner": "ann"}
	c.Ports = map[string]engine.Port{"http": {ContainerPort: 8080, HostPort: ptr(0)}, "admin": {ContainerPort: 8080, HostPort: ptr(0)}}
	c.Volumes = map[string]engine.Volume{"data": {Path: "/data"}}
	key := b.start("api-1-1", 1, c)
	own := strings.TrimPrefix(b.deployment, "acme/test/")
	h := &byHand{T: t, Client: d.Client(t), name: own + "-api-1-1"}
	elsewhere, err := h.NetworkCreate(t.Context(), own+"-elsewhere", client.NetworkCreateOptions{Driver: "bridge"})
	b.ok(err)
	t.Cleanup(func() { _, _ = h.NetworkRemove(context.Background(), elsewhere.ID, client.NetworkRemoveOptions{}) })
	found, err := h.ContainerInspect(t.Context(), h.name, client.ContainerInspectOptions{})
	b.ok(err)
	h.made = found.Container
	b.ok(b.Pull(t.Context(), b.images.Newer))
	newer := runnable(b.images.Newer.Reference)
	http := network.MustParsePort("8080/tcp")
	nothing := func(*container.Config, *container.HostConfig) {}
	asMade := func() { h.again(nothing) }

	for _, test := range []struct {
		want     string
		do, undo func()
	}{
		{"is paused", func() { h.pause(true) }, func() { h.pause(false) }},
		{"name is " + own + "-mine", func() { h.rename(own + "-mine") }, func() { h.rename(own + "-api-1-1") }},
		{"memory is 134217728 bytes", func() { h.update(container.Resources{Memory: 128 << 20, MemorySwap: 128 << 20}) },
			func() { h.update(container.Resources{Memory: 64 << 20, MemorySwap: 64 << 20}) }},
		{"cpu is 0.25", func() { h.update(container.Resources{NanoCPUs: 250_000_000}) }, func() { h.update(container.Resources{NanoCPUs: 500_000_000}) }},
		{"pids is 50", func() { h.update(container.Resources{PidsLimit: ptr(int64(50))}) }, func() { h.update(container.Resources{PidsLimit: ptr(int64(100))}) }},
		{"is also in network " + own + "-elsewhere", func() { h.join(elsewhere.ID, true) }, func() { h.join(elsewhere.ID, false) }},
		{"is not in network slipway-" + own, func() { h.join("slipway-"+own, false) }, func() { h.join("slipway-"+own, true) }},
		{"", asMade, nil}, // the same by other hands is no difference
		{"image is " + newer, func() { h.again(func(c *container.Config, _ *container.HostConfig) { c.Image = newer }) }, nil},
		{"environment variable LEVEL has another value, environment variable TIER is missing", func() {
			h.again(func(c *container.Config, _ *container.HostConfig) { c.Env = []string{"LEVEL=canary"} })
		}, nil},
		{"label owner has another value", func() {
			h.again(func(c *container.Config, _ *container.HostConfig) { c.Labels["owner"] = "canary" })
		}, nil},
		{"label owner is missing", func() {
			h.again(func(c *container.Config, _ *container.HostConfig) { delete(c.Labels, "owner") })
		}, nil},
		{fmt.Sprintf("mount is missing: volume %s-api-data /data, mount was added: bind /tmp /host ro", own), func() {
			h.again(func(_ *container.Config, host *container.HostConfig) {
				host.Mounts, host.Binds = nil, []string{"/tmp:/host:ro"}
			})
		}, nil},
		{fmt.Sprintf("mount is missing: volume %s-api-data /data, mount was added: volume %s-api-data /data ro", own, own), func() {
			h.again(func(_ *container.Config, host *container.HostConfig) {
				host.Mounts = []mount.Mount{{Type: mount.TypeVolume, Source: own + "-api-data", Target: "/data", ReadOnly: true}}
			})
		}, nil},
		{"port 8080/tcp is published at 127.0.0.2:0", func() {
			h.again(func(_ *container.Config, host *container.HostConfig) {
				host.PortBindings = network.PortMap{http: {{HostIP: netip.MustParseAddr("127.0.0.2"), HostPort: "0"}}}
			})
		}, nil},
		{"port 8080/tcp is not published", func() {
			h.again(func(_ *container.Config, host *container.HostConfig) { host.PortBindings = nil })
		}, nil},
		{"port 53/udp is published at 127.0.0.2:0", func() {
			h.again(func(_ *container.Config, host *container.HostConfig) {
				host.PortBindings = maps.Clone(host.PortBindings)
				host.PortBindings[network.MustParsePort("53/udp")] = []network.PortBinding{{HostIP: netip.MustParseAddr("127.0.0.2"), HostPort: "0"}}
			})
		}, nil},
	} {
		test.do()
		if got := b.seen(key); got != test.want {
			t.Errorf("altered is %q, want %q", got, test.want)
		}
		if test.undo != nil { // else the next one makes it anew
			test.undo()
		}
	}
	asMade()
	if got := b.seen(key); got != "" {
		t.Errorf("after undoing all: %q", got)
	}
}

// seen is what both ways to look at an instance tell of it.
func (b *bench) seen(key node.Key) string {
	b.Helper()
	one, err := b.Inspect(b.Context(), key)
	b.ok(err)
	all, err := b.List(b.Context())
	b.ok(err)
	i := slices.IndexFunc(all, func(i node.Instance) bool { return i.Key == key })
	if i < 0 || !slices.Equal(all[i].Altered, one.Altered) {
		b.Errorf("inspected: %q, listed: %+v", one.Altered, all)
	}
	return strings.Join(one.Altered, ", ")
}

func (h *byHand) pause(on bool) {
	h.Helper()
	var err error
	if on {
		_, err = h.ContainerPause(h.Context(), h.name, client.ContainerPauseOptions{})
	} else {
		_, err = h.ContainerUnpause(h.Context(), h.name, client.ContainerUnpauseOptions{})
	}
	h.ok(err)
}

func (h *byHand) rename(name string) {
	h.Helper()
	_, err := h.ContainerRename(h.Context(), h.name, client.ContainerRenameOptions{NewName: name})
	h.ok(err)
	h.name = name
}

func (h *byHand) join(id string, on bool) {
	h.Helper()
	var err error
	if on {
		_, err = h.NetworkConnect(h.Context(), id, client.NetworkConnectOptions{Container: h.name})
	} else {
		_, err = h.NetworkDisconnect(h.Context(), id, client.NetworkDisconnectOptions{Container: h.name, Force: true})
	}
	h.ok(err)
}

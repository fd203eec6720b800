package docker_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// A connection goes on while the instance gets its component's name, and loses it.
func TestRouteKeepsConnections(t *testing.T) {
	t.Parallel()
	b := newBench(t, open(t, over(daemon(t).Host)))
	old := b.start("api-1-1", 1, engine.Component{})
	b.serving(old)
	newer := b.start("api-2-1", 2, engine.Component{})
	client := b.start("client-1-1", 1, engine.Component{})
	b.serving(newer)
	if got := b.tool(client, "resolve", "api"); len(strings.Fields(got)) != 1 {
		t.Fatalf("before it has traffic the new instance has the name: %s", got)
	}
	connections := map[string]net.Conn{}
	for _, key := range []string{"api-1-1", "api-2-1"} {
		k := old
		k.Name = key
		c, err := b.Dial(t.Context(), k, "tcp", 8080)
		b.ok(err)
		defer c.Close()
		if ask(c, "/healthz") != "ok" {
			t.Fatal("no answer")
		}
		connections[key] = c
	}
	before := b.tool(client, "resolve", "api")
	b.route("api", "api-2-1")
	after := b.tool(client, "resolve", "api")
	if after == before || len(strings.Fields(after)) != 1 {
		t.Errorf("the name led to %s and leads to %s", before, after)
	}
	for name, c := range connections {
		if got := ask(c, "/healthz"); got != "ok" {
			t.Errorf("the connection to %s answers %q", name, got)
		}
	}
	i, err := b.Inspect(t.Context(), newer)
	b.ok(err)
	if i.Restarts != 0 || len(i.Altered) > 0 {
		t.Errorf("%+v", i)
	}
}

// What others made is never touched, and the error names the owner.
func TestForeign(t *testing.T) {
	t.Parallel()
	d := daemon(t)
	b := newBench(t, open(t, over(d.Host)))
	ctx := t.Context()
	c := d.Client(t)
	name := b.deployment[strings.LastIndexByte(b.deployment, '/')+1:] + "-api-1-1"
	foreign, err := c.ContainerCreate(ctx, client.ContainerCreateOptions{Name: name,
		Config: &container.Config{Image: runnable(b.images.App.Reference), Entrypoint: []string{"/tool"}}, HostConfig: &container.HostConfig{NetworkMode: "none"}})
	b.ok(err)
	s := b.spec("api-1-1", 1, idle())
	conflict(t, b.Preflight(ctx, b.deployment, []node.Spec{s}), name, "was not made by Slipway")
	conflict(t, b.Create(ctx, s), name)
	b.ok(b.Remove(ctx, s.Key))
	b.ok(b.RemoveDeployment(ctx, b.deployment, nil))
	if _, err := c.ContainerInspect(ctx, foreign.ID, client.ContainerInspectOptions{}); err != nil {
		t.Fatalf("a foreign container is gone: %v", err)
	}
	_, err = c.ContainerRemove(ctx, foreign.ID, client.ContainerRemoveOptions{})
	b.ok(err)

	key := b.start("api-1-1", 1, idle())
	config := over(d.Host)
	config.EngineID = "eng_other"
	other := open(t, config)
	conflict(t, other.Preflight(ctx, b.deployment, []node.Spec{s}), "eng_", b.deployment)
	conflict(t, other.Create(ctx, s), "eng_", b.deployment)
	b.ok(other.RemoveDeployment(ctx, b.deployment, []string{"api/data"}))
	b.ok(other.Remove(ctx, key))
	if seen, err := other.List(ctx); err != nil || len(seen) > 0 {
		t.Errorf("another engine sees %v (%v)", seen, err)
	}
	if _, err := b.Inspect(ctx, key); err != nil {
		t.Error(err)
	}
}

func conflict(t *testing.T, err error, words ...string) {
	t.Helper()
	if !errors.Is(err, engine.ErrConflict) {
		t.Fatalf("error %v, want a conflict", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q is not in: %v", w, err)
		}
	}
}

// runnable is a pinned image without its tag.
func runnable(reference string) string {
	base, digest, _ := strings.Cut(reference, "@")
	return base[:strings.LastIndexByte(base, ':')] + "@" + digest
}

// Everything that people change by hand is told in words.
func TestAltered(t *testing.T) {
	t.Parallel()
	d := daemon(t)
	b := newBench(t, open(t, over(d.Host)))
	c, ctx := d.Client(t), t.Context()
	limits := idle()
	limits.Resources = &engine.Resources{Memory: "64Mi", CPU: ptr(0.5), Pids: ptr(100)}
	key := b.start("api-1-1", 1, limits)
	name := strings.TrimPrefix(b.deployment, "acme/test/") + "-api-1-1"
	other, err := c.NetworkCreate(ctx, "elsewhere", client.NetworkCreateOptions{Driver: "bridge"})
	b.ok(err)
	defer c.NetworkRemove(ctx, other.ID, client.NetworkRemoveOptions{}) //nolint:errcheck // tidying up
	found, err := c.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	b.ok(err)
	id := found.Container.ID
	for _, test := range []struct {
		want string
		do   func() error
		undo func() error
	}{
		{"is paused", func() error { _, err := c.ContainerPause(ctx, id, client.ContainerPauseOptions{}); return err },
			func() error { _, err := c.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{}); return err }},
		{"name is mine", func() error {
			_, err := c.ContainerRename(ctx, id, client.ContainerRenameOptions{NewName: "mine"})
			return err
		},
			func() error {
				_, err := c.ContainerRename(ctx, id, client.ContainerRenameOptions{NewName: name})
				return err
			}},
		{"is also in network elsewhere", func() error {
			_, err := c.NetworkConnect(ctx, other.ID, client.NetworkConnectOptions{Container: id})
			return err
		},
			func() error {
				_, err := c.NetworkDisconnect(ctx, other.ID, client.NetworkDisconnectOptions{Container: id})
				return err
			}},
		{"memory is 134217728 bytes", func() error { return update(c, id, container.Resources{Memory: 128 << 20, MemorySwap: 128 << 20}) },
			func() error { return update(c, id, container.Resources{Memory: 64 << 20, MemorySwap: 64 << 20}) }},
		{"cpu is 0.25", func() error { return update(c, id, container.Resources{NanoCPUs: 250_000_000}) },
			func() error { return update(c, id, container.Resources{NanoCPUs: 500_000_000}) }},
		{"pids is 50", func() error { return update(c, id, container.Resources{PidsLimit: ptr(int64(50))}) },
			func() error { return update(c, id, container.Resources{PidsLimit: ptr(int64(100))}) }},
	} {
		b.ok(test.do())
		i, err := b.Inspect(ctx, key)
		b.ok(err)
		if len(i.Altered) != 1 || i.Altered[0] != test.want {
			t.Errorf("altered is %q, want %q", i.Altered, test.want)
		}
		b.ok(test.undo())
		if i, err = b.Inspect(ctx, key); err != nil || len(i.Altered) > 0 {
			t.Errorf("after undoing %q: %q (%v)", test.want, i.Altered, err)
		}
	}
	remade := *found.Container.Config
	remade.Env = append([]string{"EXTRA=1"}, "PATH=/elsewhere")
	remade.Image = runnable(b.images.Newer.Reference)
	b.ok(b.Pull(ctx, b.images.Newer))
	_, err = c.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true})
	b.ok(err)
	_, err = c.ContainerCreate(ctx, client.ContainerCreateOptions{Name: name, Config: &remade})
	b.ok(err)
	i, err := b.Inspect(ctx, key)
	b.ok(err)
	told := strings.Join(i.Altered, ", ")
	for _, want := range []string{"image is", "memory is not limited", "is not in network"} {
		if !strings.Contains(told, want) {
			t.Errorf("a container made anew by hand tells %q, without %q", told, want)
		}
	}
}

func update(c *client.Client, id string, r container.Resources) error {
	_, err := c.ContainerUpdate(context.Background(), id, client.ContainerUpdateOptions{Resources: &r})
	return err
}

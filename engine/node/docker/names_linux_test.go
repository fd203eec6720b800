package docker_test

import (
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

// A process that lives long finds the network again that another one took away, with
// a deployment that it makes anew, or from an instance that does not run.
func TestNetworkThatWentAway(t *testing.T) {
	t.Parallel()
	host := daemon(t).Host
	b := newBench(t, open(t, over(host)))
	b.start("api-1-1", 1, engine.Component{})
	other := open(t, over(host))
	b.ok(other.RemoveDeployment(t.Context(), b.deployment, nil))
	b.ok(other.Close())

	db, errs := b.spec("db-2-1", 2, engine.Component{}), make(chan error, 2)
	api := b.spec("api-2-1", 2, engine.Component{})
	for _, s := range []node.Spec{db, api} {
		b.ok(b.Create(t.Context(), s))
	}
	for _, s := range []node.Spec{db, api} {
		go func() { errs <- b.Start(t.Context(), s.Key, node.Secrets{}) }()
	}
	for range cap(errs) {
		b.ok(<-errs)
	}
	b.serving(api.Key)
	together := func() {
		t.Helper()
		if got := b.tool(api.Key, "resolve", "db"); len(strings.Fields(got)) != 1 {
			t.Errorf("db is %q", got)
		}
		for _, s := range []node.Spec{db, api} {
			if i, err := b.Inspect(t.Context(), s.Key); err != nil || len(i.Altered) > 0 {
				t.Errorf("%+v (%v)", i, err)
			}
		}
	}
	together()

	docker := daemon(t).Client(t)
	for _, s := range []node.Spec{db, api} {
		b.ok(b.Stop(t.Context(), s.Key))
	}
	networks, err := docker.NetworkList(t.Context(), client.NetworkListOptions{Filters: make(client.Filters).Add("label", "slipway.deployment="+b.deployment)})
	b.ok(err)
	for _, n := range networks.Items {
		_, err := docker.NetworkRemove(t.Context(), n.ID, client.NetworkRemoveOptions{})
		b.ok(err)
	}
	joinable(t, docker, "takes-the-addresses")
	for _, s := range []node.Spec{db, api} {
		b.ok(b.Start(t.Context(), s.Key, node.Secrets{}))
	}
	b.serving(api.Key)
	together()
}

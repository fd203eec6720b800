package docker_test

import (
	"testing"

	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

// TestRoster: a replacement asks for no list of what its preflight saw, and what was
// done by hand or failed meanwhile is asked for.
func TestRoster(t *testing.T) {
	t.Parallel()
	engine := testdocker.Shared(t)
	calls, err := testdocker.CountCalls(engine.Socket())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = calls.Close() })
	b := newBench(t, open(t, over(calls.Host)))
	ctx := t.Context()
	old, fresh := b.spec("api-1-1", 1, idle()), b.spec("api-2-1", 2, idle())
	lists := func() int { return calls.Take()["GET /containers/json"] }
	serves := func(name string) bool {
		routes, _, err := b.Routes(ctx, b.deployment)
		b.ok(err)
		return len(routes) == 1 && len(routes[0].Instances) == 1 && routes[0].Instances[0] == name
	}

	b.start("api-1-1", 1, idle())
	b.ok(b.Preflight(ctx, b.deployment, []node.Spec{fresh}))
	lists()
	b.start("api-2-1", 2, idle())
	b.route("api", "api-2-1")
	if n := lists(); n != 1 { // of guests, which is asked for once
		t.Errorf("a replacement asked for %d lists", n)
	}
	if !serves("api-2-1") {
		t.Error("the new instance is not the one that serves")
	}

	b.ok(b.Stop(ctx, old.Key))
	b.ok(b.Stop(ctx, fresh.Key))
	lists()
	b.start("api-3-1", 3, idle())
	if n := lists(); n != 0 || !serves("api-3-1") {
		t.Errorf("what takes the place of stopped instances asked for %d lists, or has no name", n)
	}

	_, err = engine.Client(t).ContainerRemove(ctx, b.deployment[len("acme/test/"):]+"-api-2-1", client.ContainerRemoveOptions{Force: true})
	b.ok(err)
	b.ok(b.Create(ctx, fresh))
	if _, err := b.Inspect(ctx, fresh.Key); err != nil {
		t.Errorf("what was removed by hand is not made again: %v", err)
	}

	unusable := b.spec("api-4-1", 4, idle())
	unusable.Component.User = "nobody:nobody:nobody"
	if err := b.Create(ctx, unusable); err == nil {
		err = b.Start(ctx, unusable.Key, node.Secrets{})
		if err == nil {
			t.Fatal("it starts")
		}
	}
	lists()
	b.ok(b.Create(ctx, b.spec("api-5-1", 5, idle())))
	if n := lists(); n != 1 {
		t.Errorf("after a failure %d lists were asked for, want 1", n)
	}
}

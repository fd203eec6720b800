package docker_test

import (
	"context"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

// TestCalls pins what the Engine is asked, so that it does not grow unnoticed.
func TestCalls(t *testing.T) {
	calls, err := testdocker.CountCalls(testdocker.Shared(t).Socket())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = calls.Close() })
	config := over(calls.Host)
	config.EngineID = "eng_counted" // what other tests do is not seen
	b := newBench(t, open(t, config))
	callsOfOneInstance(b, calls)
	b.ok(b.RemoveDeployment(t.Context(), b.deployment, nil))
	// One list is of guests, which leave the network before it goes.
	removing := testdocker.Counts{"GET /containers/json": 2, "POST /networks/{}/disconnect": 1, "DELETE /containers/{}": 2, "GET /volumes": 1, "GET /networks": 1, "DELETE /networks/{}": 1}
	if got := calls.Take(); got.String() != removing.String() {
		t.Errorf("removing what runs and what does not: %s, want %s", got, removing)
	}
	callsOfLooking(b, calls)
}

func callsOfOneInstance(b *bench, calls *testdocker.Calls) {
	ctx := b.Context()
	first := b.spec("api-1-1", 1, idle())
	inspect := func() error { _, err := b.Inspect(ctx, first.Key); return err }
	route := func() error {
		_, err := b.Route(ctx, b.deployment, []node.Route{{Component: "api", Instances: []string{first.Key.Name}}})
		return err
	}
	has, err := b.Has(ctx, node.Image{Reference: first.Image}) // as a rollout does before all else
	b.ok(err)
	if !has {
		b.Fatal("its image is not there")
	}
	for _, test := range []struct {
		name string
		do   func() error
		want testdocker.Counts
	}{
		{"preflight", func() error { return b.Preflight(ctx, b.deployment, []node.Spec{first}) },
			testdocker.Counts{"GET /networks": 1, "GET /containers/json": 2}},
		{"the first, with its network", func() error { return b.Create(ctx, first) },
			testdocker.Counts{"GET /networks": 1, "POST /networks/create": 2, "GET /networks/{}": 1, "DELETE /networks/{}": 1, "POST /containers/create": 1}},
		{"another", func() error { return b.Create(ctx, b.spec("web-1-1", 1, idle())) },
			testdocker.Counts{"POST /containers/create": 1}},
		{"start", func() error { return b.Start(ctx, first.Key, node.Secrets{}) },
			testdocker.Counts{"GET /containers/{}/json": 1, "POST /containers/{}/start": 1}},
		{"route to what has its name from the start", route, testdocker.Counts{}},
		{"inspect", inspect, testdocker.Counts{"GET /containers/{}/json": 1}},
	} {
		calls.Take()
		b.ok(test.do())
		if got := calls.Take(); got.String() != test.want.String() {
			b.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// callsOfLooking: a look at a node is one list, and each container is inspected once.
func callsOfLooking(b *bench, calls *testdocker.Calls) {
	const deployments, each = 4, 25
	deployment := func(n int) string { return fmt.Sprintf("acme/test/calls-%d", n) }
	b.Cleanup(func() {
		for n := range deployments {
			if err := b.RemoveDeployment(context.Background(), deployment(n), nil); err != nil {
				b.Error(err)
			}
		}
	})
	var group errgroup.Group
	group.SetLimit(8)
	for n := range deployments * each {
		s := b.spec(fmt.Sprintf("c%d-1-1", n/deployments), 1, engine.Component{})
		s.Key.Deployment = deployment(n % deployments)
		s.Labels.Deployment = s.Key.Deployment
		group.Go(func() error { return b.Create(b.Context(), s) })
	}
	b.ok(group.Wait())
	calls.Take()
	seen, err := b.Observe(b.Context(), "")
	b.ok(err)
	if len(seen.Instances) != deployments*each || len(seen.Tables) != deployments {
		b.Errorf("%d instances and %d tables are seen", len(seen.Instances), len(seen.Tables))
	}
	want := testdocker.Counts{"GET /containers/json": 1, "GET /containers/{}/json": deployments * each}
	if got := calls.Take(); got.String() != want.String() {
		b.Errorf("all of the node: %s, want %s", got, want)
	}
	seen, err = b.Observe(b.Context(), deployment(1))
	b.ok(err)
	want["GET /containers/{}/json"] = each
	if got := calls.Take(); got.String() != want.String() || len(seen.Instances) != each {
		b.Errorf("one deployment: %s for %d instances, want %s", got, len(seen.Instances), want)
	}
}

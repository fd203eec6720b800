//go:build linux

package local_test

import (
	"errors"
	"net"
	"slices"
	"strconv"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local"
)

// TestAnotherAddress: a published port moves between one address and all of them,
// which overlap, in both directions.
func TestAnotherAddress(t *testing.T) {
	p := newPlace(t)
	key := p.start("api-1-1", engine.Component{})
	_, text, err := net.SplitHostPort(p.publish(key)[len("http://"):])
	p.ok(err)
	port, err := strconv.Atoi(text)
	p.ok(err)
	moved, err := local.New(local.Config{Root: p.root, EngineID: engineID, Address: "0.0.0.0"})
	p.ok(err)
	ports := map[string]engine.Port{"http": {ContainerPort: 8080, HostPort: &port}}
	spec := node.Spec{Key: key, Labels: node.Labels{Component: "api"}, Component: engine.Component{Ports: ports}}
	table := []node.Route{{Component: "api", Ports: ports, Instances: []string{key.Name}}}
	for _, d := range []node.Driver{moved, p.Driver, moved} {
		if got := unpublishedOf(p, d, key); !slices.Equal(got, []string{"http"}) {
			t.Errorf("before it moved, unpublished is %q", got)
		}
		p.ok(d.Preflight(p.ctx, p.deployment, []node.Spec{spec}))
		published, err := d.Route(p.ctx, p.deployment, table)
		p.ok(err)
		info, err := d.Info(p.ctx)
		p.ok(err)
		if got := published["api/http"]; got.Address != info.Address || got.Port != port {
			t.Errorf("published at %+v, want %s", got, info.Address)
		}
		p.until("it answers", func() bool { return p.get("http://127.0.0.1:"+text) == "1" })
		if got := unpublishedOf(p, d, key); len(got) > 0 {
			t.Errorf("after it moved, unpublished is %q", got)
		}
	}
}

// TestFailedMove: where the new table cannot come into force, the old one serves on.
func TestFailedMove(t *testing.T) {
	p := newPlace(t)
	key := p.start("api-1-1", engine.Component{})
	url := p.publish(key)
	_, text, err := net.SplitHostPort(url[len("http://"):])
	p.ok(err)
	port, err := strconv.Atoi(text)
	p.ok(err)
	stranger, err := net.Listen("tcp", "127.0.0.2:"+text)
	p.ok(err)
	defer stranger.Close()
	_, err = p.Route(p.ctx, p.deployment, []node.Route{{Component: "api", Instances: []string{key.Name},
		Ports: map[string]engine.Port{"http": {ContainerPort: 8080, HostPort: &port, HostAddress: "0.0.0.0"}}}})
	if !errors.Is(err, engine.ErrConflict) {
		t.Fatalf("a stranger's port is taken over: %v", err)
	}
	p.until("it answers where it did", func() bool { return p.get(url) == "1" })
}

func unpublishedOf(p *place, d node.Driver, key node.Key) []string {
	p.Helper()
	all, err := d.List(p.ctx)
	p.ok(err)
	for _, i := range all {
		if i.Key == key {
			return i.Unpublished
		}
	}
	p.Fatal("it is not listed")
	return nil
}

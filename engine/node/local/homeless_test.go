//go:build linux

package local_test

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// TestRemovedDirectory: an instance whose directory somebody removed still runs,
// so it must be told of, and be ended like any other.
func TestRemovedDirectory(t *testing.T) {
	p := newPlace(t)
	key := p.start("api-1-1", engine.Component{})
	p.ok(os.RemoveAll(p.sandbox().Instance(key.Name).Dir))

	told := 0
	all, err := p.List(p.ctx)
	p.ok(err)
	for _, i := range all {
		if i.Key != key {
			continue
		}
		told++
		if i.Labels.Component != "api" || len(i.Altered) != 1 || i.Altered[0] != "its directory was removed" {
			t.Errorf("it is told as %+v", i)
		}
	}
	if told != 1 {
		t.Fatalf("it was told %d times", told)
	}

	p.ok(p.Stop(p.ctx, key))
	p.ok(p.Remove(p.ctx, key))
	if _, err := p.Inspect(p.ctx, key); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("after it was removed: %v", err)
	}
}

// TestClosedPort: after a supervisor was killed, somebody started the instance
// again and was killed before the traffic was led to it.
func TestClosedPort(t *testing.T) {
	p := newPlace(t)
	key := p.start("api-1-1", engine.Component{})
	p.publish(key)
	unpublished := func() []string {
		p.Helper()
		all, err := p.List(p.ctx)
		p.ok(err)
		for _, i := range all {
			if i.Key == key {
				return i.Unpublished
			}
		}
		p.Fatal("it is not listed")
		return nil
	}
	if ports := unpublished(); len(ports) > 0 {
		t.Errorf("unpublished while all is well: %q", ports)
	}
	p.killSupervisor()
	p.ok(p.Start(p.ctx, key, node.Secrets{}))
	if ports := unpublished(); !slices.Equal(ports, []string{"http"}) {
		t.Errorf("unpublished: %q, want http", ports)
	}
	p.publish(key)
	if ports := unpublished(); len(ports) > 0 {
		t.Errorf("unpublished after it was routed: %q", ports)
	}
}

// TestDamagedRecord: what one instance is cannot be read any more. It is told as
// altered, and hides neither itself nor its neighbours.
func TestDamagedRecord(t *testing.T) {
	p := newPlace(t)
	damaged, whole := p.start("my-api-1-1", engine.Component{}), p.start("my-api-1-2", engine.Component{})
	p.ok(os.WriteFile(p.sandbox().Instance(damaged.Name).RecordFile(), []byte("{"), 0o600))
	all, err := p.List(p.ctx)
	p.ok(err)
	seen := 0
	for _, i := range all {
		switch i.Key {
		case damaged:
			seen++
			if i.State != node.Running || i.Labels.Component != "my-api" || i.Labels.Engine != engineID ||
				!slices.Equal(i.Altered, []string{"its spec.json cannot be read"}) {
				t.Errorf("the damaged one is told as %+v", i)
			}
		case whole:
			seen++
			if i.State != node.Running || len(i.Altered) > 0 {
				t.Errorf("its neighbour is told as %+v", i)
			}
		}
	}
	if seen != 2 {
		t.Fatalf("%d of both are told", seen)
	}
	p.ok(p.Remove(p.ctx, damaged))
	if p.state(whole) != node.Running {
		t.Error("its neighbour was hit")
	}
}

// TestRemovedSandbox: somebody removed the directory of a whole deployment after
// its supervisor had been killed; newPlace looks for control groups that are left.
func TestRemovedSandbox(t *testing.T) {
	p := newPlace(t)
	p.start("api-1-1", engine.Component{})
	pid := p.supervisor()
	p.killSupervisor()
	p.until("its processes are gone", func() bool {
		_, err := os.Stat("/proc/" + strconv.Itoa(pid))
		return errors.Is(err, os.ErrNotExist)
	})
	p.ok(os.RemoveAll(p.sandbox().Dir))
	p.ok(p.RemoveDeployment(p.ctx, p.deployment, nil))
}

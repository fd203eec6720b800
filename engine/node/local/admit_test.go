//go:build linux

package local_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// newGuest starts a guest of the place in a deployment of its own.
func (p *place) newGuest() node.Key {
	p.Helper()
	key := node.Key{Deployment: p.deployment + "-guest", Name: "proxy-1-1"}
	p.Cleanup(func() {
		if err := p.RemoveDeployment(context.Background(), key.Deployment, nil); err != nil {
			p.Error(err)
		}
	})
	p.ok(p.Create(p.ctx, node.Spec{Key: key, Image: p.image.Reference, Guest: true,
		Component: engine.Component{Command: []string{"/tool", "sleep", "1h"}, StopGracePeriod: "10ms"}}))
	p.ok(p.Start(p.ctx, key, node.Secrets{}))
	return key
}

func (p *place) admit(guest, to node.Key) string {
	p.Helper()
	addresses, err := p.Admit(p.ctx, guest.Deployment, p.deployment, []node.Door{{Instance: to.Name, Port: 8080}})
	p.ok(err)
	return addresses[0]
}

// ask asks the instance at the address from inside the guest.
func (p *place) ask(guest node.Key, address string) string {
	p.Helper()
	r, err := p.Exec(p.ctx, guest, []string{"/tool", "ask", address, "/"})
	p.ok(err)
	return strings.TrimSpace(r.Output)
}

func (p *place) reaches(guest node.Key, address, answer string) {
	p.Helper()
	p.until("the guest reaches "+answer, func() bool { return p.ask(guest, address) == answer })
}

// A guest sees the doors that were opened to it, however deep the node's directory
// lies, and they are there again with a new supervisor.
func TestDoors(t *testing.T) {
	p := newPlace(t)
	p.root = filepath.Join(t.TempDir(), strings.Repeat("deep", 20), strings.Repeat("deep", 20))
	p.Driver, p.image = open(t, p.root), images(t).App
	p.ok(p.Pull(p.ctx, p.image))
	guest := p.newGuest()
	one := p.start("api-1-1", engine.Component{Env: map[string]string{"VERSION": "one"}})
	p.start("api-1-2", engine.Component{})
	address := p.admit(guest, one)
	p.reaches(guest, address, "one")
	seen, err := p.Exec(p.ctx, guest, []string{"/tool", "list", "/run/slipway"})
	p.ok(err)
	if n := strings.Count(seen.Output, "\n"); n != 3 || !strings.Contains(seen.Output, "/api-1-1.8080 ") {
		t.Errorf("the guest sees %s", seen.Output)
	}
	p.killSupervisor()
	p.until("the instance is lost", func() bool { return p.state(one) == node.Lost })
	if got := p.ask(guest, address); !strings.Contains(got, "refused") {
		t.Errorf("without a supervisor: %s", got)
	}
	p.ok(p.Start(p.ctx, one, node.Secrets{}))
	p.reaches(guest, address, "one")
	p.ok(p.RemoveDeployment(p.ctx, p.deployment, nil))
	seen, err = p.Exec(p.ctx, guest, []string{"/tool", "list", "/run/slipway"})
	p.ok(err)
	if n := strings.Count(seen.Output, "\n"); n != 1 {
		t.Errorf("the guest still sees %s", seen.Output)
	}
	p.ok(p.RemoveDeployment(p.ctx, guest.Deployment, nil))
}

// What an instance will not answer is refused, not cut off, for the guest to ask
// another: while it starts, and while it ends. What it has begun it finishes.
func TestDoorsRefuse(t *testing.T) {
	p := newPlace(t)
	guest := p.newGuest()
	mute := p.start("mute-1-1", engine.Component{Command: []string{"/tool", "sleep", "1h"}, StopGracePeriod: "10ms"})
	if got := p.ask(guest, p.admit(guest, mute)); !isRefusal(got) {
		t.Errorf("one that takes no connections: %s", got)
	}
	slow := p.start("api-1-1", engine.Component{Env: map[string]string{"VERSION": "slow", "SLOW_REQUEST": "3s"}})
	address := p.admit(guest, slow)
	p.until("its door is open", func() bool {
		r, err := p.Exec(p.ctx, guest, []string{"/tool", "ask", address, "/healthz"})
		return err == nil && r.ExitCode == 0
	})
	answered := make(chan string, 1)
	go func() {
		r, err := p.Exec(p.ctx, guest, []string{"/tool", "ask", address, "/"})
		if err != nil {
			r.Output = err.Error()
		}
		answered <- strings.TrimSpace(r.Output)
	}()
	p.until("it works on the request", func() bool {
		r, err := p.Exec(p.ctx, guest, []string{"/tool", "ask", address, "/busy"})
		return err == nil && strings.TrimSpace(r.Output) == "1"
	})
	short, cancel := context.WithTimeout(p.ctx, 50*time.Millisecond)
	p.ok(p.Drain(short, slow))
	if short.Err() == nil {
		t.Error("an instance that works for a guest is drained")
	}
	cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- p.Stop(p.ctx, slow) }()
	p.until("it refuses", func() bool { return isRefusal(p.ask(guest, address)) })
	for range 5 {
		if got := p.ask(guest, address); !isRefusal(got) {
			t.Errorf("while it ends: %s", got)
		}
	}
	if got := <-answered; got != "slow" {
		t.Errorf("the answer is %q", got)
	}
	p.ok(<-stopped)
	p.ok(p.RemoveDeployment(p.ctx, guest.Deployment, nil))
}

func isRefusal(text string) bool {
	return strings.Contains(text, "connection refused") || strings.Contains(text, "no such file")
}

package docker_test

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

// A Docker Engine that hangs ends no call but by its context; one that is killed
// is told, and everything goes on with the next one.
func TestEngineHangsAndIsKilled(t *testing.T) {
	t.Parallel()
	d := testdocker.New(t, testdocker.Options{})
	b := newBench(t, open(t, over(d.Host)))
	c := engine.Component{Files: map[string]engine.File{"/etc/app/x": {Content: "y"}}}
	key := b.start("api-1-1", 1, c)
	b.serving(key)
	watching, stop := context.WithCancel(t.Context())
	defer stop()
	events, err := b.Watch(watching, b.deployment)
	b.ok(err)

	b.ok(d.Signal(syscall.SIGSTOP))
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := b.List(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a list while the Engine hangs: %v", err)
	}
	if err := b.Create(short, b.spec("api-2-1", 2, c)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a creation while the Engine hangs: %v", err)
	}
	b.ok(d.Signal(syscall.SIGCONT))
	b.ok(d.Kill())
	b.unavailable()
	b.ok(d.Run())
	b.comesBack(key)
	newer := b.start("api-2-1", 2, c)
	b.serving(newer)
	b.route("api", "api-2-1")
	b.ok(b.Stop(t.Context(), key))
	b.until("the watch goes on", func() bool {
		select {
		case e := <-events:
			return e == node.Event{Key: key, Kind: node.EventDied}
		default:
			return false
		}
	})
	all, err := b.List(t.Context())
	b.ok(err)
	if len(all) != 2 {
		t.Errorf("after all that there are %d instances: %+v", len(all), all)
	}
}

// What ran comes back with the Docker Engine by itself, with its files, its name, its
// port and its guests; what was stopped stays so. What Docker does not start again is told, and
// can be started.
func TestEngineComesBack(t *testing.T) {
	t.Parallel()
	d := testdocker.New(t, testdocker.Options{})
	for how, end := range map[string]func() error{"killed": d.Kill, "stopped": d.Stop} {
		t.Run(how, func(t *testing.T) {
			b := newBench(t, open(t, over(d.Host)))
			secrets := node.Secrets{Env: map[string]string{"TOKEN": "a"}, Files: map[string][]byte{"/run/secrets/key": []byte("b")}}
			serves := b.spec("api-1-1", 1, engine.Component{Files: map[string]engine.File{"/etc/app/x": {Content: "y"}},
				Ports: map[string]engine.Port{"http": {ContainerPort: 8080, HostPort: ptr(0)}}})
			b.ok(b.Create(t.Context(), serves))
			b.ok(b.Start(t.Context(), serves.Key, secrets))
			once := b.start("once-1-1", 1, engine.Component{Restart: "never"})
			old := b.start("old-1-1", 1, engine.Component{})
			b.serving(once)
			b.ok(b.Stop(t.Context(), old))
			guest := b.guest()
			proxy := guest.startGuest("proxy-1-1", idle())
			door := b.admit(guest, serves.Key)
			_, before, err := b.Routes(t.Context(), b.deployment)
			b.ok(err)

			b.ok(end())
			b.unavailable()
			b.ok(d.Run())
			b.comesBack(serves.Key)
			if got := b.tool(serves.Key, "cat", "/etc/app/x") + b.tool(serves.Key, "env", "TOKEN") + b.tool(serves.Key, "cat", "/run/secrets/key"); got != "yab" {
				t.Errorf("its file and its secrets are %q", got)
			}
			if got := b.tool(serves.Key, "resolve", "api"); got == "" {
				t.Error("it lost its name")
			}
			_, after, err := b.Routes(t.Context(), b.deployment)
			b.ok(err)
			where := before["api/http"]
			b.until("its port answers", func() bool { return fetch(where) == "ok" })
			if where.Port == 0 || after["api/http"] != where {
				t.Errorf("it was published at %+v, and is at %+v", where, after["api/http"])
			}
			b.until("a guest reaches it where it was", func() bool {
				r, err := b.Exec(t.Context(), proxy, []string{"/tool", "ask", door, "/healthz"})
				return err == nil && r.ExitCode == 0
			})
			for _, key := range []node.Key{old, once} {
				if i, err := b.Inspect(t.Context(), key); err != nil || i.State != node.Exited || len(i.Altered) > 0 {
					t.Errorf("%s: %+v (%v)", key.Name, i, err)
				}
			}
			b.ok(b.Start(t.Context(), once, node.Secrets{}))
			b.serving(once)
		})
	}
}

// unavailable expects the Docker Engine to be away.
func (b *bench) unavailable() {
	b.Helper()
	_, listed := b.List(b.Context())
	_, asked := b.Info(b.Context())
	for _, err := range []error{listed, asked} {
		if !errors.Is(err, engine.ErrUnavailable) {
			b.Errorf("while there is no Engine: %v", err)
		}
	}
}

// comesBack waits until an instance runs and serves that nobody starts.
func (b *bench) comesBack(key node.Key) {
	b.Helper()
	b.until(key.Name+" comes back", func() bool {
		i, err := b.Inspect(b.Context(), key)
		return err == nil && i.State == node.Running
	})
	b.serving(key)
}

// A call that was cut off at any moment is made again, and leaves one instance
// with its files.
func TestCutOffCreation(t *testing.T) {
	t.Parallel()
	d := daemon(t)
	b := newBench(t, open(t, over(d.Host)))
	c := idle()
	c.Files = map[string]engine.File{"/etc/app/x": {Content: "y"}}
	c.Volumes = map[string]engine.Volume{"data": {Path: "/data"}}
	s := b.spec("api-1-1", 1, c)
	for wait := time.Millisecond; ; wait += 7*time.Millisecond + wait/8 {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		err := b.Create(ctx, s)
		if err == nil {
			err = b.Start(ctx, s.Key, node.Secrets{Env: map[string]string{"TOKEN": "a"}})
		}
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("cut off after %s: %v", wait, err)
		}
	}
	b.ok(b.Create(t.Context(), s))
	b.ok(b.Start(t.Context(), s.Key, node.Secrets{Env: map[string]string{"TOKEN": "a"}}))
	if got := b.tool(s.Key, "cat", "/etc/app/x") + b.tool(s.Key, "env", "TOKEN"); got != "ya" {
		t.Errorf("file and secret are %q", got)
	}
	all, err := b.List(t.Context())
	b.ok(err)
	own := 0
	for _, i := range all {
		if i.Key.Deployment == b.deployment {
			own++
		}
	}
	if own != 1 {
		t.Errorf("%d instances: %+v", own, all)
	}
	b.ok(b.RemoveDeployment(t.Context(), b.deployment, []string{"api/data"}))
	for _, thing := range d.Things(t) {
		if strings.Contains(thing, "cutoffcreation") {
			t.Errorf("left: %s", thing)
		}
	}
}

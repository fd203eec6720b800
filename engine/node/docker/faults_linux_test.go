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
func TestEngineStopsAndIsKilled(t *testing.T) {
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
	if _, err := b.List(short); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, engine.ErrConflict) { // a name is free once a removal is done
		t.Errorf("a list while the Engine hangs: %v", err)
	}
	if err := b.Create(short, b.spec("api-2-1", 2, c)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a creation while the Engine hangs: %v", err)
	}
	b.ok(d.Signal(syscall.SIGCONT))
	b.ok(d.Kill())
	if _, err := b.List(t.Context()); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("a list while there is no Engine: %v", err)
	}
	if _, err := b.Info(t.Context()); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("info while there is no Engine: %v", err)
	}
	b.ok(d.Run())
	var last error
	b.until("it is started again", func() bool {
		last = b.Start(t.Context(), key, node.Secrets{})
		return last == nil
	})
	b.serving(key)
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

package nodetest

import (
	"context"
	"strings"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

func testInfo(h *harness) {
	info, err := h.Info(h.ctx)
	h.ok(err)
	if !strings.HasPrefix(info.Platform, "linux/") || info.RuntimeVersion == "" || info.Place == "" || info.Address == "" {
		h.Fatalf("the node does not say what it is: %+v", info)
	}
	h.ok(h.Check(engine.Component{Env: map[string]string{"A": "b"}}, info))
}

func testImages(h *harness) {
	has, err := h.Has(h.ctx, h.images.App)
	h.ok(err)
	missing := h.images.App
	missing.Reference = missing.Reference[:strings.LastIndexByte(missing.Reference, ':')+1] + strings.Repeat("0", 64)
	hasMissing, err := h.Has(h.ctx, missing)
	h.ok(err)
	if !has || hasMissing {
		h.Fatalf("has the image: %t, has one that nobody has: %t", has, hasMissing)
	}
	h.is(h.Pull(h.ctx, missing), engine.ErrNotFound)
	check, err := h.HealthCheck(h.ctx, h.images.App)
	h.ok(err)
	if check != nil {
		h.Fatalf("the image brings no check, got %+v", check)
	}
}

func testIdempotence(h *harness) {
	spec := h.spec("api-1-1", engine.Component{})
	for range 2 {
		h.ok(h.Create(h.ctx, spec))
	}
	if i := h.inspect(spec.Key); i.State != node.Created || i.ExitCode != -1 {
		h.Fatalf("made, not started: %+v", i)
	}
	for range 2 {
		h.ok(h.Start(h.ctx, spec.Key, node.Secrets{}))
	}
	h.serving(spec.Key)
	h.want(h.get(spec.Key, "/count"), "1")
	h.ok(h.Start(h.ctx, spec.Key, node.Secrets{}))
	h.want(h.get(spec.Key, "/count"), "2") // the same process as before
	for range 2 {
		h.ok(h.Stop(h.ctx, spec.Key))
	}
	if i := h.inspect(spec.Key); i.State != node.Exited || i.ExitCode != 0 || i.Restarts != 0 {
		h.Fatalf("stopped: %+v", i)
	}
	h.ok(h.Start(h.ctx, spec.Key, node.Secrets{}))
	h.serving(spec.Key)
	for range 2 {
		h.ok(h.Remove(h.ctx, spec.Key))
	}
	_, err := h.Inspect(h.ctx, spec.Key)
	h.is(err, engine.ErrNotFound)
	h.is(h.Start(h.ctx, spec.Key, node.Secrets{}), engine.ErrNotFound)
	for range 2 {
		h.ok(h.RemoveDeployment(h.ctx, h.deployment, nil))
	}
}

func testList(h *harness) {
	for _, name := range []string{"worker-1-1", "api-1-2", "api-1-1"} {
		h.ok(h.Create(h.ctx, h.spec(name, idle())))
	}
	h.ok(h.Start(h.ctx, h.key("api-1-2"), node.Secrets{}))
	all, err := h.List(h.ctx)
	h.ok(err)
	var names []string
	for _, i := range all {
		if i.Key.Deployment == h.deployment {
			names = append(names, i.Key.Name+" "+string(i.State))
			want := h.spec(i.Key.Name, engine.Component{})
			if i.Labels != want.Labels || i.Image != want.Image || len(i.Altered) != 0 {
				h.Fatalf("got %+v, want labels %+v and image %s", i, want.Labels, want.Image)
			}
		}
	}
	h.want(strings.Join(names, ", "), "api-1-1 created, api-1-2 running, worker-1-1 created")
}

func testStartErrors(h *harness) {
	for name, c := range map[string]engine.Component{
		"missing":  {Command: []string{"/no/such/file"}},
		"unknown":  {Command: []string{"no-such-program"}},
		"nobody":   {User: "nobody-knows"},
		"nogroup":  {User: "app:nobody-knows"},
		"nothosts": {Command: []string{"/bin/sh"}}, // the node has it, the image has not
	} {
		spec := h.spec(name+"-1-1", c)
		h.ok(h.Create(h.ctx, spec))
		h.is(h.Start(h.ctx, spec.Key, node.Secrets{}), engine.ErrInvalid)
		if i := h.inspect(spec.Key); i.State == node.Running || i.Error == "" {
			h.Fatalf("%s: a failed start is not told: %+v", name, i)
		}
	}
}

func testRestart(h *harness) {
	key := h.start("api-1-1", engine.Component{Env: map[string]string{"DIE_AFTER": "50ms", "EXIT_CODE": "3"}})
	h.until("it was started again", func() bool {
		i := h.inspect(key)
		return i.Restarts >= 2 && i.ExitCode == 3
	})
	h.ok(h.Stop(h.ctx, key))
	before := h.state(key, node.Exited).Restarts
	h.ok(h.Stop(h.ctx, key))
	if after := h.inspect(key).Restarts; after != before {
		h.Fatalf("restarted %d times after it was stopped", after-before)
	}
}

func testRestartPolicies(h *harness) {
	for _, test := range []struct {
		name, policy, code string
		again              bool
	}{
		{"never-1-1", "never", "4", false}, {"job-1-1", "on_failure", "0", false}, {"flaky-1-1", "on_failure", "5", true},
	} {
		key := h.start(test.name, engine.Component{Restart: test.policy, Command: []string{"/tool", "exit", test.code}})
		if test.again {
			h.until(test.name+" was started again", func() bool { return h.inspect(key).Restarts > 0 })
			continue
		}
		i := h.state(key, node.Exited)
		if i.Restarts != 0 || test.code != string(rune('0'+i.ExitCode)) {
			h.Fatalf("%s: %+v", test.name, i)
		}
	}
}

func testStopSignal(h *harness) {
	for name, want := range map[string]string{"": "app stops: terminated", "SIGINT": "app stops: interrupt", "int": "app stops: interrupt"} {
		key := h.start("api"+strings.ToLower(name)+"-1-1", engine.Component{StopSignal: name})
		h.serving(key)
		h.ok(h.Stop(h.ctx, key))
		lines, err := h.Logs(h.ctx, key, 10)
		h.ok(err)
		if !strings.Contains(strings.Join(lines, "\n"), want) {
			h.Fatalf("stop signal %q: %q", name, lines)
		}
		h.ok(h.Remove(h.ctx, key))
	}
}

func testStopGrace(h *harness) {
	key := h.start("api-1-1", engine.Component{StopGracePeriod: "300ms", Env: map[string]string{"IGNORE_TERM": "1"}})
	h.serving(key)
	began := time.Now()
	h.ok(h.Stop(h.ctx, key))
	if took := time.Since(began); took < 300*time.Millisecond || took > patience {
		h.Fatalf("stopping took %s", took)
	}
	if i := h.inspect(key); i.State != node.Exited || i.ExitCode != 137 {
		h.Fatalf("%+v", i)
	}
}

func testWatch(h *harness) {
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	events, err := h.Watch(ctx, h.deployment)
	h.ok(err)
	first := h.start("first-1-1", idle()) // a watch may begin with what runs
	key := h.spec("api-1-1", engine.Component{Restart: "never", Command: []string{"/tool", "sleep", "300ms"}}).Key
	h.until("the watch sees anything", func() bool {
		h.ok(h.Stop(h.ctx, first))
		h.ok(h.Start(h.ctx, first, node.Secrets{}))
		return len(events) > 0
	})
	h.start("api-1-1", engine.Component{Restart: "never", Command: []string{"/tool", "sleep", "300ms"}})
	h.await(events, node.Event{Key: key, Kind: node.EventDied})
	if i := h.inspect(key); i.State != node.Exited {
		h.Fatalf("told that it died, and it is %s", i.State)
	}
	h.ok(h.Remove(h.ctx, key))
	h.await(events, node.Event{Key: key, Kind: node.EventRemoved})
	cancel()
	h.until("the channel is closed", func() bool {
		select {
		case _, open := <-events:
			return !open
		default:
			return false
		}
	})
}

func (h *harness) await(events <-chan node.Event, want node.Event) {
	h.Helper()
	deadline := time.After(patience)
	for {
		select {
		case got := <-events:
			if got == want {
				return
			}
		case <-deadline:
			h.Fatalf("no event %+v", want)
		}
	}
}

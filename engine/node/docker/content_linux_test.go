package docker_test

import (
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// Files and secrets come into an instance whose root cannot be written too.
func TestReadOnlyRootWithFiles(t *testing.T) {
	t.Parallel()
	d := daemon(t)
	b := newBench(t, open(t, over(d.Host)))
	c := idle()
	c.User = "app"
	c.Security = &engine.Security{ReadOnlyRoot: true}
	c.Files = map[string]engine.File{"/etc/app/config": {Content: "a=b", Mode: "0640"}, "/usr/share/x": {Content: "x"}}
	s := b.spec("api-1-1", 1, c)
	secrets := node.Secrets{Env: map[string]string{"TOKEN": "a"}, Files: map[string][]byte{"/run/secrets/key": []byte("canary")}}
	b.ok(b.Create(t.Context(), s))
	b.ok(b.Start(t.Context(), s.Key, secrets))
	for path, want := range map[string]string{"/run/secrets/key": "canary", "/usr/share/x": "x"} {
		if got := b.tool(s.Key, "cat", path); got != want {
			t.Errorf("%s holds %q", path, got)
		}
	}
	if got := b.tool(s.Key, "stat", "/run/secrets/key"); !strings.HasPrefix(got, "400 1000 ") {
		t.Errorf("the secret is %s", got)
	}
	b.ok(b.Stop(t.Context(), s.Key))
	secrets.Files["/run/secrets/key"] = []byte("newer")
	b.ok(b.Start(t.Context(), s.Key, secrets))
	if got := b.tool(s.Key, "cat", "/run/secrets/key"); got != "newer" {
		t.Errorf("the secret is still %q", got)
	}
	i, err := b.Inspect(t.Context(), s.Key)
	b.ok(err)
	if len(i.Altered) > 0 {
		t.Errorf("altered: %q", i.Altered)
	}
	b.ok(b.Remove(t.Context(), s.Key))
	for _, thing := range d.Things(t) {
		if strings.Contains(thing, "readonlyrootwithfiles") && !strings.HasPrefix(thing, "network") {
			t.Errorf("left: %s", thing)
		}
	}
}

// Only what Slipway brought is pruned, and only when nothing needs it.
func TestPrune(t *testing.T) {
	t.Parallel()
	d := testdocker.New(t, testdocker.Options{}) // where nobody else needs an image
	b := newBench(t, open(t, over(d.Host)))
	ctx, c := t.Context(), d.Client(t)
	b.ok(b.Pull(ctx, b.images.Newer))
	b.ok(b.Pull(ctx, b.images.AsUser))
	_, err := c.ImageTag(ctx, client.ImageTagOptions{Source: runnable(b.images.AsUser.Reference), Target: "mine:1"})
	b.ok(err)
	r := testimage.Registry(t, testimage.RegistryOptions{})
	foreign := node.Image{Reference: r.Push(t, "foreign:1", testimage.App(t, "9", nil))}
	answer, err := c.ImagePull(ctx, runnable(foreign.Reference), client.ImagePullOptions{})
	b.ok(err)
	b.ok(answer.Wait(ctx))
	b.start("api-1-1", 1, idle()) // uses App

	want := func(app, newer bool) {
		t.Helper()
		for image, wanted := range map[node.Image]bool{b.images.App: app, b.images.Newer: newer, foreign: true} {
			if has, err := b.Has(ctx, image); err != nil || has != wanted {
				t.Errorf("has %s: %t (%v), want %t", image.Reference, has, err, wanted)
			}
		}
		if _, err := c.ImageInspect(ctx, "mine:1"); err != nil {
			t.Errorf("what somebody tagged is gone: %v", err)
		}
	}
	b.ok(b.Prune(ctx, []string{b.images.Newer.Reference}))
	want(true, true)
	b.ok(b.Prune(ctx, nil))
	want(true, false)
	b.ok(b.RemoveDeployment(ctx, b.deployment, nil))
	b.ok(b.Prune(ctx, nil))
	want(false, false)
}

// A registry's answers keep their meaning on the way through the Docker Engine.
func TestPullErrors(t *testing.T) {
	t.Parallel()
	b := newBench(t, open(t, over(daemon(t).Host)))
	closed := testimage.Registry(t, testimage.RegistryOptions{Username: "ci", Password: "canary-password"})
	secret := node.Image{Reference: closed.Push(t, "app:1", testimage.App(t, "1", map[string]string{"OF": closed.URL()}))}
	if err := b.Pull(t.Context(), secret); !errors.Is(err, engine.ErrDenied) {
		t.Errorf("without credentials: %v", err)
	}
	secret.Auth = node.Auth{Username: "ci", Password: "wrong-canary"}
	if err := b.Pull(t.Context(), secret); !errors.Is(err, engine.ErrDenied) || strings.Contains(err.Error(), "canary") {
		t.Errorf("with wrong credentials: %v", err)
	}
	secret.Auth.Password = "canary-password"
	errs := make(chan error, 8)
	for range cap(errs) {
		go func() { errs <- b.Pull(t.Context(), secret) }()
	}
	for range cap(errs) {
		b.ok(<-errs)
	}
	closed.Off()
	b.ok(b.Pull(t.Context(), secret)) // it is there

	off := testimage.Registry(t, testimage.RegistryOptions{})
	away := node.Image{Reference: off.Push(t, "app:2", testimage.App(t, "2", map[string]string{"OF": off.URL()}))}
	off.Off()
	if err := b.Pull(t.Context(), away); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("a registry that is off: %v", err)
	}
}

// Why an instance ended is told also when Docker has started it again and it talks on.
func TestLogsBeforeRestart(t *testing.T) {
	t.Parallel()
	b := newBench(t, open(t, over(daemon(t).Host)))
	c := idle()
	c.Command = []string{"/tool", "crash-once", "/mark"}
	key := b.start("api-1-1", 1, c)
	read := func(lines int) []string {
		said, err := b.Logs(t.Context(), key, lines)
		b.ok(err)
		return said
	}
	b.until("it was started again and talks", func() bool {
		i, err := b.Inspect(t.Context(), key)
		return err == nil && i.Restarts == 1 && len(read(1000)) == 102
	})
	for lines, want := range map[int]string{1: "on we go", 4: "begun,cannot go on,on we go,on we go", 6: "begun,cannot go on" + strings.Repeat(",on we go", 4)} {
		if got := strings.Join(read(lines), ","); got != want {
			t.Errorf("its last %d lines are %s, want %s", lines, got, want)
		}
	}
	b.ok(b.Remove(t.Context(), key))
	if got := read(200); len(got) != 102 || got[1] != "cannot go on" {
		t.Errorf("after its removal: %q", got)
	}
}

// The image's own HEALTHCHECK is told, and Docker goes on with it.
func TestImageHealthCheck(t *testing.T) {
	t.Parallel()
	b := newBench(t, open(t, over(daemon(t).Host)))
	r := testimage.Registry(t, testimage.RegistryOptions{})
	built, err := testimage.BuildApp("1", nil, testimage.Options{HealthCheck: &v1.HealthConfig{Test: []string{"CMD", "/app", "bad"}, Interval: 1e8, Retries: 2}})
	b.ok(err)
	image := node.Image{Reference: r.Push(t, "checked:1", built)}
	b.ok(b.Pull(t.Context(), image))
	check, err := b.HealthCheck(t.Context(), image)
	b.ok(err)
	if check == nil || check.Exec == nil || strings.Join(check.Exec.Command, " ") != "/app bad" || check.Interval != "100ms" || check.Threshold != 2 {
		t.Fatalf("%+v", check)
	}
}

// What Docker cannot honour is told before anything runs.
func TestCheck(t *testing.T) {
	config := over("unix:///nowhere")
	config.AllowedHostPaths = []string{"/srv/data"}
	d := open(t, config)
	info := node.Info{LimitCPU: true, LimitMemory: true, LimitPids: true, Snapshots: true}
	published := map[string]engine.Port{"http": {ContainerPort: 80, HostPort: ptr(8080)}}
	for field, c := range map[string]engine.Component{
		"volumes.data.size":      {Volumes: map[string]engine.Volume{"data": {Path: "/data", Size: "1Gi"}}},
		"volumes.data.snapshot":  {Volumes: map[string]engine.Volume{"data": {Path: "/data", Snapshot: "on_upgrade", DriverOptions: map[string]string{"type": "nfs"}}}},
		"ports.http.host_port":   {Ports: published, Replicas: ptr(2)},
		"labels.slipway.engine":  {Labels: map[string]string{"slipway.engine": "x"}},
		"host_paths./x.source":   {HostPaths: map[string]engine.HostPath{"/x": {Source: "/srv/data/../secret"}}},
		"host_paths./etc.source": {HostPaths: map[string]engine.HostPath{"/etc": {Source: "/srv/database"}}},
		"resources.memory":       {Resources: &engine.Resources{Memory: "1Mi"}},
		"security.privileged":    {Security: &engine.Security{Privileged: true}},

		"security.capabilities_add": {Security: &engine.Security{CapabilitiesAdd: []string{"CHOWN", "SYS_ADMIN"}}},
	} {
		err := d.Check(c, info)
		all := engine.All(err)
		if !errors.Is(err, engine.ErrUnsupported) || len(all) != 1 || all[0].Field != field || all[0].Hint == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := d.Check(engine.Component{Ports: published, Volumes: map[string]engine.Volume{"data": {Path: "/data", Snapshot: "on_upgrade"}}, HostPaths: map[string]engine.HostPath{"/x": {Source: "/srv/data/in"}}, Init: true,
		Security: &engine.Security{CapabilitiesAdd: []string{"NET_ADMIN", "SYS_PTRACE"}}}, info); err != nil {
		t.Error(err)
	}
	config.AllowPrivileged = true
	if err := open(t, config).Check(engine.Component{Security: &engine.Security{Privileged: true, CapabilitiesAdd: []string{"ALL"}}}, info); err != nil {
		t.Errorf("where the node allows it: %v", err)
	}
}

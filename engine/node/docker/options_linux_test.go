package docker_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/docker"
)

// joinable makes a network that a component can join, until the test has ended and
// what was made in it is gone: call it first.
func joinable(t *testing.T, c *client.Client, name string) {
	t.Helper()
	made, err := c.NetworkCreate(t.Context(), name, client.NetworkCreateOptions{Driver: "bridge"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := c.NetworkRemove(ctx, made.ID, client.NetworkRemoveOptions{}); err != nil {
			t.Error(err)
		}
	})
}

// rich asks for everything that only containers have.
func rich(network string) engine.Component {
	c := idle()
	c.DNS = &engine.DNS{Servers: []string{"10.255.0.53", "10.255.0.54"}, Search: []string{"acme.internal"}, Options: []string{"ndots:2"}}
	c.Networks = []string{network}
	c.Sysctls = map[string]string{"kernel.msgmax": "16384", "net.ipv4.ip_unprivileged_port_start": "81"}
	c.Devices = map[string]engine.Device{"/dev/nothing": {Source: "/dev/null", Permissions: "rw"}}
	c.Logging = &engine.Logging{Driver: "local", MaxSize: "1Mi", MaxFiles: ptr(2), DriverOptions: map[string]string{"compress": "false"}}
	c.Volumes = map[string]engine.Volume{"scratch": {Path: "/scratch", Driver: "local",
		DriverOptions: map[string]string{"type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=1000"}}}
	c.Files = map[string]engine.File{"/etc/app/x": {Content: "x"}}
	c.ExtraHosts = map[string]string{"legacy": "10.255.0.1"}
	c.Tmpfs = map[string]engine.Tmpfs{"/cache": {Size: "1Mi"}}
	c.Init = true
	return c
}

// Everything that a component asks of a container is there, also after the
// container was made anew for its secrets, and is seen to be missing.
func TestOptions(t *testing.T) {
	t.Parallel()
	host := daemon(t)
	cfg := over(host.Host)
	cfg.AllowedDevices = []string{"/dev/null"}
	api := host.Client(t)
	network := "options-joined"
	joinable(t, api, network)
	b := newBench(t, open(t, cfg))
	s := b.spec("api-1-1", 1, rich(network))
	info, err := b.Info(t.Context())
	b.ok(err)
	b.ok(b.Check(s.Component, info))
	b.ok(b.Preflight(t.Context(), b.deployment, []node.Spec{s}))
	b.ok(b.Create(t.Context(), s))
	b.ok(b.Start(t.Context(), s.Key, node.Secrets{Env: map[string]string{"TOKEN": "a"}}))

	for path, want := range map[string]string{
		"/proc/sys/kernel/msgmax":                       "16384",
		"/proc/sys/net/ipv4/ip_unprivileged_port_start": "81",
		"/etc/app/x": "x",
	} {
		if got := b.tool(s.Key, "cat", path); got != want {
			t.Errorf("%s holds %q, want %q", path, got, want)
		}
	}
	if got := b.tool(s.Key, "cat", "/etc/resolv.conf"); !strings.Contains(got, "search acme.internal") || !strings.Contains(got, "ndots:2") {
		t.Errorf("the resolver is\n%s", got)
	}
	if got := b.tool(s.Key, "cat", "/proc/mounts"); !strings.Contains(got, "tmpfs /scratch tmpfs") || !strings.Contains(got, "uid=1000") {
		t.Errorf("the volume is not what its options say:\n%s", got)
	}
	b.ok(func() error {
		_, err := b.Exec(t.Context(), s.Key, []string{"/tool", "cat", "/dev/nothing"})
		return err
	}())

	name := containerOf(b, s.Key)
	found, err := api.ContainerInspect(t.Context(), name, client.ContainerInspectOptions{})
	b.ok(err)
	is := found.Container
	for what, got := range map[string]any{
		"[10.255.0.53 10.255.0.54] [acme.internal] [ndots:2]":             fmt.Sprint(is.HostConfig.DNS, is.HostConfig.DNSSearch, is.HostConfig.DNSOptions),
		"[{/dev/null /dev/nothing rw}]":                                   fmt.Sprint(is.HostConfig.Devices),
		"{local map[compress:false max-file:2 max-size:1048576]}":         fmt.Sprint(is.HostConfig.LogConfig),
		"[" + network + " slipway-" + engine.BaseName(b.deployment) + "]": fmt.Sprint(slices.Sorted(maps.Keys(is.NetworkSettings.Networks))),
		"[legacy:10.255.0.1]":                                             fmt.Sprint(is.HostConfig.ExtraHosts),
		"[no-new-privileges:true]":                                        fmt.Sprint(is.HostConfig.SecurityOpt),
	} {
		if got != what {
			t.Errorf("the container has %v, want %s", got, what)
		}
	}
	altered := func(want ...string) {
		t.Helper()
		i, err := b.Inspect(t.Context(), s.Key)
		b.ok(err)
		if !slices.Equal(i.Altered, want) {
			t.Errorf("altered: %q, want %q", i.Altered, want)
		}
	}
	altered()
	_, err = api.NetworkDisconnect(t.Context(), network, client.NetworkDisconnectOptions{Container: name})
	b.ok(err)
	altered("is not in network " + network)

	// Somebody makes it anew with the same labels and other options.
	_, err = api.ContainerRemove(t.Context(), name, client.ContainerRemoveOptions{Force: true})
	b.ok(err)
	is.HostConfig.DNS, is.HostConfig.Sysctls, is.HostConfig.Devices, is.HostConfig.ExtraHosts = nil, nil, nil, nil
	is.HostConfig.LogConfig, is.HostConfig.Tmpfs = container.LogConfig{}, nil
	_, err = api.ContainerCreate(t.Context(), client.ContainerCreateOptions{Name: name, Config: is.Config, HostConfig: is.HostConfig})
	b.ok(err)
	altered("has other devices", "has other dns", "has other extra_hosts", "has other logging", "has other sysctls", "has other tmpfs",
		"is not in network "+network)
}

func containerOf(b *bench, key node.Key) string {
	return engine.BaseName(b.deployment) + "-" + key.Name
}

// What the node cannot give is told before anything is touched, and where.
func TestOptionsThatTheNodeLacks(t *testing.T) {
	t.Parallel()
	host := daemon(t)
	b := newBench(t, open(t, over(host.Host)))
	kept := b.spec("db-1-1", 1, idle())
	kept.Component.Volumes = map[string]engine.Volume{"data": {Path: "/data"}}
	b.ok(b.Create(t.Context(), kept))
	own := func() []string {
		return slices.DeleteFunc(host.Things(t), func(thing string) bool { return !strings.Contains(thing, engine.BaseName(b.deployment)) })
	}
	before := own()
	for name, test := range map[string]struct {
		change func(c *engine.Component)
		field  string
	}{
		"network": {func(c *engine.Component) { c.Networks = []string{"nobody-made-it"} }, "components.db.networks.0"},
		"sysctl":  {func(c *engine.Component) { c.Sysctls = map[string]string{"net.ipv4.no_such_thing": "1"} }, "components.db.sysctls"},
		"device": {func(c *engine.Component) {
			c.Devices = map[string]engine.Device{"/dev/x": {Source: "/dev/no-such-thing"}}
		}, "components.db.devices./dev/x.source"},
		"gpus":       {func(c *engine.Component) { c.GPUs = engine.AllGPUs }, "components.db.gpus"},
		"log driver": {func(c *engine.Component) { c.Logging = &engine.Logging{Driver: "no-such-driver"} }, "components.db.logging.driver"},
		"log option": {func(c *engine.Component) {
			c.Logging = &engine.Logging{DriverOptions: map[string]string{"no-such-option": "1"}}
		}, "components.db.logging.driver"},
		"volume driver": {func(c *engine.Component) {
			c.Volumes = map[string]engine.Volume{"data": {Path: "/data", Driver: "other"}}
		}, "components.db.volumes.data.driver"},
		"volume options": {func(c *engine.Component) {
			c.Volumes = map[string]engine.Volume{"data": {Path: "/data", DriverOptions: map[string]string{"type": "tmpfs"}}}
		}, "components.db.volumes.data.driver_options"},
	} {
		t.Run(name, func(t *testing.T) {
			s := b.spec("db-2-1", 2, idle())
			test.change(&s.Component)
			all := engine.All(b.Preflight(t.Context(), b.deployment, []node.Spec{s}))
			if len(all) != 1 || all[0].Field != test.field || all[0].Hint == "" || !errors.Is(all[0], engine.ErrInvalid) && !errors.Is(all[0], engine.ErrConflict) {
				t.Errorf("got %v, want one about %s with a hint", all, test.field)
			}
			t.Log(all)
		})
	}
	if after := own(); !slices.Equal(before, after) {
		t.Errorf("there is %v, was %v", after, before)
	}
}

// A node that allows it gets a privileged container, which not every machine lets start.
func TestPrivileged(t *testing.T) {
	t.Parallel()
	host := daemon(t)
	cfg := over(host.Host)
	cfg.AllowPrivileged = true
	b := newBench(t, open(t, cfg))
	c := engine.Component{Security: &engine.Security{Privileged: true}}
	b.ok(b.Check(c, node.Info{}))
	s := b.spec("api-1-1", 1, c)
	b.ok(b.Create(t.Context(), s))
	found, err := host.Client(t).ContainerInspect(t.Context(), containerOf(b, s.Key), client.ContainerInspectOptions{})
	b.ok(err)
	if !found.Container.HostConfig.Privileged {
		t.Error("the container is not privileged")
	}
}

// What leads to the node itself is the node's to allow.
func TestAllowed(t *testing.T) {
	bind := func(options ...string) func(c *engine.Component) {
		told := map[string]string{}
		for i := 0; i+1 < len(options); i += 2 {
			told[options[i]] = options[i+1]
		}
		return func(c *engine.Component) {
			c.Volumes = map[string]engine.Volume{"v": {Path: "/v", DriverOptions: told}}
		}
	}
	const volume = "volumes.v.driver_options"
	d, err := docker.New(docker.Config{Connection: docker.Connection{Host: "unix:///nowhere"},
		AllowedHostPaths: []string{"/srv/data"}, AllowedDevices: []string{"/dev/dri", "/dev/fuse"}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for name, test := range map[string]struct {
		change func(c *engine.Component)
		field  string // "" when fine
	}{
		"host path":        {func(c *engine.Component) { c.HostPaths = map[string]engine.HostPath{"/x": {Source: "/srv/data/x"}} }, ""},
		"host path beside": {func(c *engine.Component) { c.HostPaths = map[string]engine.HostPath{"/x": {Source: "/srv/database"}} }, "host_paths./x.source"},
		"device":           {func(c *engine.Component) { c.Devices = map[string]engine.Device{"/dev/x": {Source: "/dev/fuse"}} }, ""},
		"device below":     {func(c *engine.Component) { c.Devices = map[string]engine.Device{"/dev/x": {Source: "/dev/dri/card0"}} }, ""},
		"device beside":    {func(c *engine.Component) { c.Devices = map[string]engine.Device{"/dev/x": {Source: "/dev/sda"}} }, "devices./dev/x.source"},
		"bound":            {bind("type", "none", "device", "/srv/data/x", "o", "bind"), ""},
		"bound elsewhere":  {bind("type", "none", "device", "/etc", "o", "bind,ro"), volume},
		"bound upwards":    {bind("type", "none", "device", "/srv/data/../../etc", "o", "bind"), volume},
		"bound, relative":  {bind("type", "none", "device", "etc", "o", "rbind"), volume},
		"bound as tmpfs":   {bind("type", "tmpfs", "device", "/etc", "o", "bind"), volume},
		"tmpfs":            {bind("type", "tmpfs", "device", "tmpfs", "o", "size=1m"), ""},
		"nfs":              {bind("type", "nfs", "device", ":/export", "o", "addr=10.0.0.1,rw"), ""},
		"a disk":           {bind("type", "ext4", "device", "/dev/sda1"), volume},
		"overlay":          {bind("type", "overlay", "device", "overlay", "o", "lowerdir=/etc,upperdir=/u,workdir=/w"), volume},
		"a size":           {bind("size", "1g"), ""},
		"another driver": {func(c *engine.Component) {
			c.Volumes = map[string]engine.Volume{"v": {Path: "/v", Driver: "own", DriverOptions: map[string]string{"device": "/etc", "o": "bind"}}}
		}, ""},
		"privileged": {func(c *engine.Component) { c.Security = &engine.Security{Privileged: true} }, "security.privileged"},
	} {
		t.Run(name, func(t *testing.T) {
			c := engine.Component{Image: "x"}
			test.change(&c)
			all := engine.All(d.Check(c, node.Info{}))
			switch {
			case test.field == "" && len(all) > 0:
				t.Errorf("refused: %v", all)
			case test.field != "" && (len(all) != 1 || all[0].Field != test.field || !errors.Is(all[0], engine.ErrUnsupported)):
				t.Errorf("got %v, want %s refused", all, test.field)
			}
		})
	}
}

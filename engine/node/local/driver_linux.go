package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image/cache"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/cgroup"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/probe"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// Driver is a node.Driver on this machine.
type Driver struct {
	Config
	root   state.Root
	images *cache.Cache
	tried  func() error // whether the kernel lets us; asked once
	now    func() time.Time
	after  func(time.Duration) <-chan time.Time
}

var _ node.Driver = (*Driver)(nil)

// New opens the node whose root is c.Root. Nothing is started.
func New(c Config) (node.Driver, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Root, 0o700); err != nil {
		return nil, &engine.Error{Class: engine.ErrUnavailable, Field: "root", Reason: "the node's directory cannot be made", Err: err}
	}
	d := &Driver{Config: c, root: state.Root{Dir: c.Root}, now: time.Now, after: time.After}
	if d.images, err = cache.Open(d.root.Images()); err != nil {
		return nil, err
	}
	d.tried = sync.OnceValue(d.try)
	return d, nil
}

// Close implements node.Driver.
func (d *Driver) Close() error { return nil }

// Info implements node.Driver.
func (d *Driver) Info(context.Context) (node.Info, error) {
	if err := d.tried(); err != nil {
		return node.Info{}, err
	}
	info := node.Info{
		Place: "local " + d.Root, Platform: "linux/" + runtime.GOARCH, RuntimeVersion: "linux " + kernelRelease(), Address: d.Address,
		StartFirstPorts: true, Snapshots: true, Users: os.Geteuid() == 0, MinPort: LowestPort(),
	}
	info.LimitCPU, info.LimitMemory, info.LimitPids = cgroup.Find().Limits()
	return info, nil
}

// try lets a process like a supervisor do what instances need.
func (d *Driver) try() error {
	dir, err := os.MkdirTemp(d.Root, ".probe-")
	if err != nil {
		return &engine.Error{Class: engine.ErrUnavailable, Reason: "the node's directory cannot be written", Err: err}
	}
	defer func() { _ = state.RemoveAll(dir) }()
	if err := probe.Mark(dir); err != nil {
		return err
	}
	_, err = d.spawn(context.Background(), dir, "")
	return err
}

func kernelRelease() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(name.Release[:])
}

// LowestPort is the first port of this machine on which this user may listen.
func LowestPort() int {
	if os.Geteuid() == 0 {
		return 1
	}
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			return max(n, 1)
		}
	}
	return 1024 // the kernel's default
}

// Has implements node.Driver.
func (d *Driver) Has(_ context.Context, i node.Image) (bool, error) {
	return d.images.Has(image.Digest(i.Reference)), nil
}

// Pull implements node.Driver.
func (d *Driver) Pull(ctx context.Context, i node.Image) error {
	return d.images.Pull(ctx, i.Reference, d.Platform, credential(i))
}

func credential(i node.Image) image.Credential {
	c := image.Credential{Username: i.Auth.Username, Password: i.Auth.Password, CACertificate: i.Auth.CACertificate}
	return c.For(i.Reference, i.Auth.PlainHTTP)
}

// HealthCheck implements node.Driver.
func (d *Driver) HealthCheck(_ context.Context, i node.Image) (*engine.HealthCheck, error) {
	found, err := d.image(i.Reference)
	return found.Config.HealthCheck, err
}

func (d *Driver) image(reference string) (cache.Image, error) {
	found, err := d.images.Image(image.Digest(reference))
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return found, fmt.Errorf("reading image %s: %w", reference, err)
	}
	return found, err
}

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/meter"
	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/stats"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

// dockerDir is where the engine of a Docker Engine's world has its data.
const dockerDir = "d"

// countedID is the environment on the same Docker Engine whose calls are counted.
const countedID = "acme/counted"

// dockerWorld is a world on a private Docker Engine, and that Engine itself.
type dockerWorld struct {
	*world
	daemon *testdocker.Daemon
	calls  *testdocker.Calls
	api    *client.Client
	pid    int // of the Engine
}

// openDocker starts the Docker Engine of this run and makes a world on it.
func (b *bench) openDocker(ctx context.Context) (*dockerWorld, error) {
	if b.docker != nil {
		return b.docker, nil
	}
	if why := testdocker.Missing(); why != "" {
		return nil, cannot{why}
	}
	daemon, err := testdocker.Start(testdocker.Options{})
	if err != nil {
		return nil, cannot{"dockerd does not come up: " + err.Error()}
	}
	d := &dockerWorld{daemon: daemon}
	b.docker = d
	if d.calls, err = testdocker.CountCalls(daemon.Socket()); err != nil {
		return nil, err
	}
	if d.api, err = client.New(client.WithHost(daemon.Host)); err != nil {
		return nil, err
	}
	if d.pid, err = pidOf(daemon); err != nil {
		return nil, err
	}
	if d.world, err = b.newWorld(ctx, dockerDir, dockerNode(daemon.Host)); err != nil {
		return nil, err
	}
	if err := d.place(ctx, "counted", countedID, dockerNode(d.calls.Host)); err != nil {
		return nil, err
	}
	if err := d.warm(ctx, b); err != nil {
		return nil, err
	}
	return d, d.holdImage(ctx)
}

// holdImage makes a container that never runs: the image stays for its sake, also
// when what is measured on the other node of this Engine goes.
func (d *dockerWorld) holdImage(ctx context.Context) error {
	_, err := d.api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: "holds-the-image", Config: &container.Config{Image: onNode(d.pinned)},
	})
	return err
}

// cannot says why this machine cannot run a workload.
type cannot struct{ why string }

// Error implements error.
func (c cannot) Error() string { return c.why }

func dockerNode(host string) engine.Node {
	return engine.Node{Kind: engine.NodeDocker, Docker: &engine.DockerNode{Host: host}}
}

func pidOf(daemon *testdocker.Daemon) (int, error) {
	found, err := meter.Below(os.Getpid(), func(args []string) bool {
		return filepath.Base(args[0]) == "dockerd" && slices.Contains(args, daemon.Host)
	})
	if err == nil && len(found) == 0 {
		err = errors.New("the Docker Engine's process is not there")
	}
	if err != nil {
		return 0, err
	}
	return found[0], nil
}

// close ends everything; nil is fine.
func (d *dockerWorld) close() error {
	if d == nil {
		return nil
	}
	var errs []error
	errs = append(errs, d.world.close())
	if d.api != nil {
		errs = append(errs, d.api.Close())
	}
	if d.calls != nil {
		errs = append(errs, d.calls.Close())
	}
	d.daemon.Close()
	return errors.Join(errs...)
}

// cost measures work of this process, and apart from it what the Docker Engine
// spends: its daemons and what they start, but not what runs in containers.
func (d *dockerWorld) cost(work func() error) (stats.Cost, error) {
	ours, theirs, err := d.spent()
	if err != nil {
		return stats.Cost{}, err
	}
	began := time.Now()
	if err := work(); err != nil {
		return stats.Cost{}, err
	}
	wall := time.Since(began)
	oursAfter, theirsAfter, err := d.spent()
	return stats.Cost{Wall: wall, CPU: oursAfter - ours, Daemon: theirsAfter - theirs}, err
}

func (d *dockerWorld) spent() (ours, theirs time.Duration, err error) {
	all, err1 := meter.CPU(os.Getpid())
	daemons, err2 := meter.CPU(d.pid)
	shims, err3 := meter.CPUOf(func(args []string) bool {
		return strings.HasPrefix(filepath.Base(args[0]), "containerd-shim") && slices.ContainsFunc(args, d.isOwnFile)
	})
	return all - daemons, daemons + shims, errors.Join(err1, err2, err3)
}

func (d *dockerWorld) isOwnFile(arg string) bool {
	return strings.HasPrefix(arg, filepath.Dir(d.daemon.Socket())+"/")
}

// onNode is a pinned image as every Docker Engine takes it: without its tag.
func onNode(pinned string) string {
	base, digest, _ := strings.Cut(pinned, "@")
	return base[:strings.LastIndexByte(base, ':')] + "@" + digest
}

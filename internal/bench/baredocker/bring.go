package baredocker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
)

// Order is what to bring up.
type Order struct {
	Name   string // of the network, and what the containers' names begin with
	Image  string // on the node
	Count  int
	AtOnce int  // containers that are started at the same time
	Chain  bool // one after the other: each when the one before is healthy
	Port   int  // of the http check
}

// Bring makes a network, and containers in it, and waits until all are healthy.
func Bring(ctx context.Context, api *client.Client, o Order) error {
	if _, err := api.NetworkCreate(ctx, o.Name, client.NetworkCreateOptions{Driver: "bridge"}); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.AtOnce)
	if o.Chain {
		group.SetLimit(1)
	}
	for i := range o.Count {
		group.Go(func() error {
			if err := bring(ctx, api, o, i); err != nil {
				return fmt.Errorf("number %d: %w", i, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// bring is one container: created, started, found in its network, and healthy.
func bring(ctx context.Context, api *client.Client, o Order, number int) error {
	made, err := api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: nameOf(o, number), Config: &container.Config{Image: o.Image},
		HostConfig: &container.HostConfig{NetworkMode: container.NetworkMode(o.Name)},
	})
	if err != nil {
		return err
	}
	if _, err := api.ContainerStart(ctx, made.ID, client.ContainerStartOptions{}); err != nil {
		return err
	}
	found, err := api.ContainerInspect(ctx, made.ID, client.ContainerInspectOptions{})
	if err != nil {
		return err
	}
	joined := found.Container.NetworkSettings.Networks[o.Name]
	if joined == nil {
		return errors.New("it is not in its network")
	}
	return health.Gate{Clock: health.SystemClock{}}.Wait(ctx, health.GateInput{
		Target: target{joined.IPAddress},
		Checks: map[string]engine.HealthCheck{"up": {HTTP: &engine.HTTPCheck{Port: o.Port}}},
		Alive: func(context.Context) (health.Liveness, error) {
			return health.Liveness{Running: true, ExitCode: -1}, nil
		},
	})
}

func nameOf(o Order, number int) string { return o.Name + "-" + strconv.Itoa(number) }

// target is the address of a container.
type target struct{ netip.Addr }

// Dial implements health.Target.
func (t target) Dial(ctx context.Context, network string, port int) (net.Conn, error) {
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, net.JoinHostPort(t.String(), strconv.Itoa(port)))
}

// Exec implements health.Target; no order asks for it.
func (t target) Exec(context.Context, []string) (int, string, error) {
	return 0, "", errors.ErrUnsupported
}

// Remove removes all of an order.
func Remove(ctx context.Context, api *client.Client, o Order) error {
	for i := range o.Count { // one after the other: Docker may count wrong, and keep the network for ever
		_, _ = api.NetworkDisconnect(ctx, o.Name, client.NetworkDisconnectOptions{Container: nameOf(o, i), Force: true}) // the removal tells
	}
	group := errgroup.Group{}
	group.SetLimit(o.AtOnce)
	for i := range o.Count {
		group.Go(func() error {
			_, err := api.ContainerRemove(ctx, nameOf(o, i), client.ContainerRemoveOptions{Force: true})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		_, err := api.NetworkRemove(ctx, o.Name, client.NetworkRemoveOptions{})
		if err == nil || attempt == 50 {
			return err
		}
		if attempt > 10 {
			dropForgotten(ctx, api, o.Name)
		}
		time.Sleep(100 * time.Millisecond) // a busy Docker Engine takes containers that are gone off it later
	}
}

// dropForgotten takes containers off a network that are gone, and that Docker forgot to take off it.
func dropForgotten(ctx context.Context, api *client.Client, name string) {
	found, err := api.NetworkInspect(ctx, name, client.NetworkInspectOptions{})
	if err != nil {
		return
	}
	for id, endpoint := range found.Network.Containers {
		for _, container := range []string{id, endpoint.Name} {
			_, _ = api.NetworkDisconnect(ctx, name, client.NetworkDisconnectOptions{Container: container, Force: true})
		}
	}
}

package testdocker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

// Engine is a Docker Engine on this machine.
type Engine struct {
	Host string // unix:///…
}

// Socket is the path of the Engine's socket.
func (e *Engine) Socket() string { return strings.TrimPrefix(e.Host, "unix://") }

// answers asks whether it is there.
func (e *Engine) answers() error {
	c, err := client.New(client.WithHost(e.Host))
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err = c.Ping(ctx, client.PingOptions{})
	return err
}

// Client speaks to the Engine behind everybody's back.
func (e *Engine) Client(t testing.TB) *client.Client {
	t.Helper()
	c, err := client.New(client.WithHost(e.Host))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Things lists what there is, sorted: "container shop-api-1-1", "network slipway-shop",
// "volume shop-db-data", "image app:1"; without what every Engine has.
func (e *Engine) Things(t testing.TB) []string {
	t.Helper()
	c, ctx := e.Client(t), context.Background()
	containers, err1 := c.ContainerList(ctx, client.ContainerListOptions{All: true})
	networks, err2 := c.NetworkList(ctx, client.NetworkListOptions{})
	volumes, err3 := c.VolumeList(ctx, client.VolumeListOptions{})
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, x := range containers.Items {
		all = append(all, "container "+strings.TrimPrefix(x.Names[0], "/"))
	}
	for _, x := range networks.Items {
		if x.Name != "host" && x.Name != "none" && x.Name != "bridge" {
			all = append(all, "network "+x.Name)
		}
	}
	for _, x := range volumes.Items {
		all = append(all, "volume "+x.Name)
	}
	slices.Sort(all)
	return all
}

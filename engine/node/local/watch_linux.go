package local

import (
	"context"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// watchRetry is how often a watch looks for a supervisor while there is none.
const watchRetry = 20 * time.Millisecond

// Watch implements node.Driver. It follows the deployment from one supervisor to
// the next, and waits for the first.
func (d *Driver) Watch(ctx context.Context, deployment string) (<-chan node.Event, error) {
	events := make(chan node.Event, 256)
	s := d.sandbox(deployment)
	go func() {
		defer close(events)
		for ctx.Err() == nil {
			if state.Alive(s) {
				d.follow(ctx, s, events)
			}
			select {
			case <-d.after(watchRetry):
			case <-ctx.Done():
			}
		}
	}()
	return events, nil
}

// follow passes on what one supervisor tells, until it ends.
func (d *Driver) follow(ctx context.Context, s state.Sandbox, events chan<- node.Event) {
	c, err := control.Connect(ctx, s.Socket())
	if err != nil {
		return
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	if control.Send(c, control.Request{Version: control.Version, Op: control.OpWatch}) != nil {
		return
	}
	for {
		reply, _, err := control.Next(ctx, c)
		if err != nil {
			return
		}
		if reply.Event == nil {
			continue
		}
		select {
		case events <- *reply.Event:
		default: // a slow reader loses events
		}
	}
}

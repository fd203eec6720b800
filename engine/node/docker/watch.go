package docker

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// watchPoll is how often the node is listed while its stream of events is broken.
const watchPoll = 500 * time.Millisecond

// Watch implements node.Driver. Where the stream of events breaks, a list tells
// what was missed, until there is one again.
func (d *Driver) Watch(ctx context.Context, deployment string) (<-chan node.Event, error) {
	out := make(chan node.Event, 256)
	w := &watcher{driver: d, deployment: deployment, out: out}
	stream := w.open(ctx)
	go func() {
		defer close(out)
		for ctx.Err() == nil {
			w.follow(ctx, stream)
			if ctx.Err() != nil {
				return
			}
			w.poll(ctx)
			select {
			case <-d.cfg.After(watchPoll):
			case <-ctx.Done():
				return
			}
			stream = w.open(ctx)
		}
	}()
	return out, nil
}

type watcher struct {
	driver     *Driver
	deployment string
	out        chan<- node.Event
	seen       map[node.Key]container.ContainerState // of the last poll
}

// kinds are what events mean, by the names that Docker and Podman give them.
var kinds = map[string]node.EventKind{
	string(events.ActionStart):   node.EventStarted,
	string(events.ActionDie):     node.EventDied,
	"died":                       node.EventDied,
	string(events.ActionDestroy): node.EventRemoved,
	"remove":                     node.EventRemoved,
}

func (w *watcher) open(ctx context.Context) client.EventsResult {
	filter := w.driver.owned(w.deployment).Add("type", string(events.ContainerEventType)).
		Add("event", slices.Collect(maps.Keys(kinds))...)
	return w.driver.api.Events(ctx, client.EventsListOptions{Filters: filter})
}

// follow passes on what the stream tells until it breaks.
func (w *watcher) follow(ctx context.Context, stream client.EventsResult) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-stream.Err: //nolint:errcheck // whatever ended the stream, polling finds what it missed
			return
		case m := <-stream.Messages:
			if kind, ok := kinds[string(m.Action)]; ok && m.Actor.Attributes[labelInstance] != "" {
				w.tell(keyOf(m.Actor.Attributes), kind)
			}
		}
	}
}

// poll tells what differs from the poll before.
func (w *watcher) poll(ctx context.Context) {
	all, err := w.driver.containers(ctx, w.driver.owned(w.deployment))
	if err != nil {
		return
	}
	now := map[node.Key]container.ContainerState{}
	for _, c := range all {
		key := keyOf(c.Labels)
		now[key] = c.State
		if before, known := w.seen[key]; known && before == c.State {
			continue
		}
		if c.State == container.StateRunning {
			w.tell(key, node.EventStarted)
		} else {
			w.tell(key, node.EventDied)
		}
	}
	for key := range w.seen {
		if _, stays := now[key]; !stays {
			w.tell(key, node.EventRemoved)
		}
	}
	w.seen = now
}

func (w *watcher) tell(key node.Key, kind node.EventKind) {
	select {
	case w.out <- node.Event{Key: key, Kind: kind}:
	default: // a slow reader loses events
	}
}

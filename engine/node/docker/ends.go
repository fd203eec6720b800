package docker

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
)

// startedAgain reports whether Docker itself started the container again, and does
// not just wait to do so. It then has forgotten how the container ended before,
// and says 0.
func startedAgain(s *container.State, restarts int) bool {
	return s.Running && !s.Restarting && restarts > 0
}

// margin is how long before the end that Docker notes the events of it may be.
const margin = 2 * time.Second

// lastEnd tells how a container ended before it was started again: what Docker
// told when it happened, which it keeps for a while; -1 when it does no more.
// All times are the Docker Engine's own.
func (d *Driver) lastEnd(ctx context.Context, c container.InspectResponse) (exitCode int, oomKilled bool) {
	exitCode, oomKilled = -1, c.State.OOMKilled
	ended, started := timeOf(c.State.FinishedAt), timeOf(c.State.StartedAt)
	if ended.IsZero() || started.Before(ended) {
		return exitCode, oomKilled
	}
	exitCode, oomKilled = d.toldOfEnd(ctx, c.ID, ended.Add(-margin), started, oomKilled, events.ActionDie, events.ActionOOM)
	if exitCode == killed && !oomKilled && c.HostConfig.Memory > 0 {
		_, oomKilled = d.toldOfEnd(ctx, c.ID, ended.Add(-margin), started.Add(lateOOM), false, events.ActionOOM)
	}
	return exitCode, oomKilled
}

const (
	// killed is the exit code of a process that got SIGKILL, as the kernel sends it for want of memory.
	killed = 137
	// lateOOM is how long after the restart Docker may tell that it was that.
	lateOOM = time.Second
)

// toldOfEnd reads what Docker told of a container's end; asked for the word that memory
// ran out alone, it waits for nothing after that.
func (d *Driver) toldOfEnd(ctx context.Context, id string, since, until time.Time, oomKilled bool, which ...events.Action) (exitCode int, oom bool) {
	ctx, cancel := context.WithCancel(ctx) // ends the stream
	defer cancel()
	filters := make(client.Filters).Add("container", id)
	for _, action := range which {
		filters.Add("event", string(action))
	}
	told := d.api.Events(ctx, client.EventsListOptions{Since: stamp(since), Until: stamp(until), Filters: filters})
	exitCode = -1
	for {
		select {
		case m := <-told.Messages:
			if m.Action == events.ActionOOM {
				oomKilled = true
				if len(which) == 1 {
					return exitCode, oomKilled
				}
			} else if code, err := strconv.Atoi(m.Actor.Attributes["exitCode"]); err == nil {
				exitCode = code
			}
		case <-told.Err: //nolint:errcheck // whatever ended it, no more comes
			return exitCode, oomKilled
		}
	}
}

// stamp writes a time as the API takes it.
func stamp(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }

package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
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

const (
	// margin is how long before the end that Docker notes the events of it may be.
	margin = 2 * time.Second
	// killMargin is how long a process may take to go after SIGKILL.
	killMargin = 10 * time.Second
	// lateOOM is how long after the end Docker may tell that memory had run out.
	lateOOM = time.Second
	// killed is the exit code of a process that got SIGKILL, as the kernel sends it for want of memory.
	killed = 137
)

// ending tells how a container ended the last time: -1 when it never did, or when
// Docker started it again and no more keeps what it told when it happened.
// All times are the Docker Engine's own.
func (d *Driver) ending(ctx context.Context, c container.InspectResponse) (exitCode int, oomKilled bool) {
	ended, again := timeOf(c.State.FinishedAt), startedAgain(c.State, c.RestartCount)
	exitCode, oomKilled = c.State.ExitCode, c.State.OOMKilled
	if ended.IsZero() || c.State.Running && !again && !c.State.Restarting {
		return exitCodeOf(c), oomKilled
	}
	if again {
		told := d.told(ctx, c.ID, ended.Add(-margin), timeOf(c.State.StartedAt), toTheEnd, events.ActionDie, events.ActionOOM)
		exitCode, oomKilled = told.exitCode, oomKilled || told.oom
	}
	if exitCode == killed && !oomKilled && c.HostConfig.Memory > 0 {
		oomKilled = d.ranOutOfMemory(ctx, c.ID, ended)
	}
	return exitCode, oomKilled
}

// exitCodeOf is the exit code that the container itself shows, -1 when it never
// ended, or when it runs again and has forgotten it.
func exitCodeOf(c container.InspectResponse) int {
	if timeOf(c.State.FinishedAt).IsZero() || startedAgain(c.State, c.RestartCount) {
		return -1
	}
	return c.State.ExitCode
}

// ranOutOfMemory reports whether a SIGKILL was the kernel's for want of memory: Docker
// may tell that later than the end, and not at all when the control group went before
// it looked. Then it was that if nobody had asked Docker to send the signal.
func (d *Driver) ranOutOfMemory(ctx context.Context, id string, ended time.Time) bool {
	told := d.told(ctx, id, ended.Add(-killMargin), ended.Add(lateOOM), func(n news) bool { return n.oom },
		events.ActionOOM, events.ActionKill)
	return told.oom || told.whole && !told.kill
}

// news is what Docker told of a container in some time.
type news struct {
	exitCode int  // of the last end, -1 for none
	oom      bool // memory ran out
	kill     bool // Docker was asked to send SIGKILL
	whole    bool // Docker told all that it knows
}

func toTheEnd(news) bool { return false }

// told reads what Docker told of a container between two times, and stops when that is enough.
func (d *Driver) told(ctx context.Context, id string, since, until time.Time, enough func(news) bool, which ...events.Action) news {
	ctx, cancel := context.WithCancel(ctx) // ends the stream
	defer cancel()
	filters := make(client.Filters).Add("container", id)
	for _, action := range which {
		filters.Add("event", string(action))
	}
	stream := d.api.Events(ctx, client.EventsListOptions{Since: stamp(since), Until: stamp(until), Filters: filters})
	all := news{exitCode: -1}
	for {
		select {
		case m := <-stream.Messages:
			if all.add(m); enough(all) {
				return all
			}
		case err := <-stream.Err:
			all.whole = errors.Is(err, io.EOF)
			return all
		}
	}
}

func (n *news) add(m events.Message) {
	switch m.Action {
	case events.ActionOOM:
		n.oom = true
	case events.ActionKill:
		signal := m.Actor.Attributes["signal"]
		n.kill = n.kill || signal == "9" || signal == "SIGKILL" || signal == "KILL"
	case events.ActionDie:
		if code, err := strconv.Atoi(m.Actor.Attributes["exitCode"]); err == nil {
			n.exitCode = code
		}
	}
}

// stamp writes a time as the API takes it.
func stamp(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }

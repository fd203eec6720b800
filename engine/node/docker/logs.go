package docker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

const (
	// searchedLines are read for the end of what a container said before it was
	// started again.
	searchedLines = 2000
	// rememberedLines are kept of a removed instance.
	rememberedLines = 200
	// rememberedFor is how long, within one process.
	rememberedFor = 24 * time.Hour
	// rememberedMost is of how many instances.
	rememberedMost = 256
)

// tail is the last output of an instance that is gone.
type tail struct {
	lines []string
	at    time.Time
}

// Logs implements node.Driver. The output of a removed instance is known to the
// process that removed it only.
func (d *Driver) Logs(ctx context.Context, key node.Key, lines int) ([]string, error) {
	c, err := d.find(ctx, key)
	if errors.Is(err, engine.ErrNotFound) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if old, ok := d.logs[key]; ok {
			return old.lines[max(0, len(old.lines)-lines):], nil
		}
	}
	if err != nil {
		return nil, err
	}
	return d.readLogs(ctx, c, lines)
}

// readLogs reads the end of the output. Where Docker has started the container
// again, half of that is at least what was said before the last end, if so much was:
// why it ended matters more than how it begins once more.
func (d *Driver) readLogs(ctx context.Context, c container.InspectResponse, lines int) ([]string, error) {
	if c.RestartCount == 0 || !c.State.Running {
		return d.tailLogs(ctx, c, lines, false)
	}
	stamped, err := d.tailLogs(ctx, c, lines+searchedLines, true)
	if err != nil {
		return nil, err
	}
	before, since := splitRuns(stamped, timeOf(c.State.FinishedAt), timeOf(c.State.StartedAt))
	since = last(since, lines-min(len(before), lines/2))
	return append(last(before, lines-len(since)), since...), nil
}

// splitRuns parts the lines of an instance, which have times in front, where it ended
// and was started again: at the longest silence about then. Docker's own times of
// the end and of the start are not exact enough: output is read a little later than
// the one, and before the other.
func splitRuns(stamped []string, ended, started time.Time) (before, since []string) {
	var texts []string
	var previous time.Time
	var silence time.Duration
	cut := 0
	for i, line := range stamped {
		stamp, text, _ := strings.Cut(line, " ")
		at := timeOf(stamp)
		if i > 0 && at.After(ended) && previous.Before(started) && at.Sub(previous) > silence {
			cut, silence = i, at.Sub(previous)
		}
		previous = at
		texts = append(texts, text)
	}
	return texts[:cut], texts[cut:]
}

func last(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }

func (d *Driver) tailLogs(ctx context.Context, c container.InspectResponse, lines int, stamped bool) ([]string, error) {
	stream, err := d.api.ContainerLogs(ctx, c.ID, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true,
		Tail: strconv.Itoa(lines), Timestamps: stamped})
	if err != nil {
		return nil, d.failed("read the output of "+keyOf(c.Config.Labels).Name, err)
	}
	defer stream.Close()
	var text bytes.Buffer
	if c.Config.Tty {
		_, err = io.Copy(&text, stream)
	} else {
		_, err = stdcopy.StdCopy(&text, &text, stream)
	}
	if err != nil {
		return nil, d.failed("read the output of "+keyOf(c.Config.Labels).Name, err)
	}
	all := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	if len(all) == 1 && all[0] == "" {
		return nil, nil
	}
	return last(all, lines), nil
}

func (d *Driver) rememberLogs(ctx context.Context, c container.InspectResponse) {
	lines, err := d.readLogs(ctx, c, rememberedLines)
	if err != nil {
		return // a removal does not fail for its output
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.cfg.Now()
	for key, old := range d.logs {
		if now.Sub(old.at) > rememberedFor || len(d.logs) >= rememberedMost {
			delete(d.logs, key)
		}
	}
	d.logs[keyOf(c.Config.Labels)] = tail{lines: lines, at: now}
}

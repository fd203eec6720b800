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

func (d *Driver) readLogs(ctx context.Context, c container.InspectResponse, lines int) ([]string, error) {
	stream, err := d.api.ContainerLogs(ctx, c.ID, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: strconv.Itoa(lines)})
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
	return all[max(0, len(all)-lines):], nil
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

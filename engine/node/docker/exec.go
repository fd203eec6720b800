package docker

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

const (
	// keptOutput is how much of a command's output is kept, its end.
	keptOutput = 4096
	// execMark is the variable that every process of a command inherits, by which
	// they are found again.
	execMark = "SLIPWAY_EXEC"
	// killTimeout bounds how long it may take to kill a command.
	killTimeout = 5 * time.Second
)

// Exec implements node.Driver. Docker cannot end a command that it started. On
// this machine, as root, the engine ends its processes itself; elsewhere a shell
// in the container does, and without one what was started goes on.
func (d *Driver) Exec(ctx context.Context, key node.Key, command []string) (node.ExecResult, error) {
	c, err := d.find(ctx, key)
	if err != nil {
		return node.ExecResult{}, err
	}
	if !c.State.Running {
		return node.ExecResult{}, &engine.Error{Class: engine.ErrConflict, Reason: key.Name + " does not run"}
	}
	mark := rand.Text()
	made, err := d.api.ExecCreate(ctx, c.ID, client.ExecCreateOptions{
		Cmd: command, AttachStdout: true, AttachStderr: true, Env: []string{execMark + "=" + mark},
	})
	if err != nil {
		return node.ExecResult{}, d.failed("run a command in "+key.Name, err)
	}
	attached, err := d.api.ExecAttach(ctx, made.ID, client.ExecAttachOptions{})
	if err != nil {
		return node.ExecResult{}, d.execFailed(key, err.Error())
	}
	defer attached.Close()
	out := &lastBytes{}
	ended := make(chan error, 1)
	go func() {
		_, err := stdcopy.StdCopy(out, out, attached.Reader)
		ended <- err
	}()
	select {
	case <-ctx.Done():
		d.killCommand(context.WithoutCancel(ctx), c, mark)
		return node.ExecResult{}, context.Cause(ctx)
	case err := <-ended:
		if err != nil {
			return node.ExecResult{}, d.failed("run a command in "+key.Name, err)
		}
	}
	return d.execResult(ctx, key, made.ID, out)
}

func (d *Driver) execResult(ctx context.Context, key node.Key, id string, out *lastBytes) (node.ExecResult, error) {
	for {
		state, err := d.api.ExecInspect(ctx, id, client.ExecInspectOptions{})
		if err != nil {
			return node.ExecResult{}, d.failed("run a command in "+key.Name, err)
		}
		if state.Running { // its output is closed, its end not yet noticed
			select {
			case <-d.cfg.After(10 * time.Millisecond):
				continue
			case <-ctx.Done():
				return node.ExecResult{}, context.Cause(ctx)
			}
		}
		text := string(out.kept)
		if (state.ExitCode == 126 || state.ExitCode == 127) && (strings.Contains(text, "OCI runtime exec failed") || strings.Contains(text, "OCI runtime attempted to invoke")) {
			return node.ExecResult{}, d.execFailed(key, text)
		}
		return node.ExecResult{ExitCode: state.ExitCode, Output: text}, nil
	}
}

func (d *Driver) execFailed(key node.Key, text string) error {
	e := engine.Invalid("", "the command cannot be run in %s: %s", key.Name, strings.TrimSpace(text))
	e.Hint = "name a program that the image has"
	return e
}

// killCommand ends every process of a command.
func (d *Driver) killCommand(ctx context.Context, c container.InspectResponse, mark string) {
	ctx, cancel := context.WithTimeout(ctx, killTimeout)
	defer cancel()
	if d.reach.local() && killMarked(execMark+"="+mark) {
		return
	}
	// Twice, for what was started while the first round went on.
	script := fmt.Sprintf(`for i in 1 2; do for p in /proc/[0-9]*; do if grep -q %s=%s $p/environ 2>/dev/null; then kill -9 ${p#/proc/} 2>/dev/null; fi; done; done`, execMark, mark)
	made, err := d.api.ExecCreate(ctx, c.ID, client.ExecCreateOptions{Cmd: []string{"/bin/sh", "-c", script}})
	if err == nil {
		_, _ = d.api.ExecStart(ctx, made.ID, client.ExecStartOptions{Detach: true})
	}
}

// lastBytes keeps the end of what is written to it.
type lastBytes struct{ kept []byte }

func (l *lastBytes) Write(p []byte) (int, error) {
	l.kept = append(l.kept, p...)
	if over := len(l.kept) - keptOutput; over > 0 {
		l.kept = append([]byte{}, l.kept[over:]...)
	}
	return len(p), nil
}

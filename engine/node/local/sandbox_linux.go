package local

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

func (d *Driver) sandbox(deployment string) state.Sandbox {
	return d.root.Sandbox(d.EngineID, deployment)
}

// withLock keeps other drivers from starting, ending or removing the deployment's
// supervisor while f runs.
func (d *Driver) withLock(ctx context.Context, s state.Sandbox, f func() error) error {
	unlock, err := d.root.Lock(ctx, s)
	if err != nil {
		return err
	}
	defer unlock()
	return f()
}

// call asks the supervisor, which is started when it is not there.
func (d *Driver) call(ctx context.Context, s state.Sandbox, r control.Request) error {
	for try := 0; ; try++ {
		if err := d.withLock(ctx, s, func() error { return d.ensure(ctx, s) }); err != nil {
			return err
		}
		_, _, err := control.Call(ctx, s.Socket(), r)
		// One that ended just now, for lack of work, is started again.
		if errors.Is(err, engine.ErrUnavailable) && try == 0 && !state.Alive(s) {
			continue
		}
		return err
	}
}

// ensure starts the supervisor unless it lives. The caller holds the lock.
func (d *Driver) ensure(ctx context.Context, s state.Sandbox) error {
	if state.Alive(s) {
		return nil
	}
	if _, err := os.Stat(s.LabelFile()); err != nil {
		return engine.NotFound("deployment on this node", s.ID())
	}
	if err := d.awaitEnd(ctx, s); err != nil {
		return err
	}
	if err := sweep(s); err != nil {
		return err
	}
	p, err := d.spawn(ctx, s.Dir, s.SupervisorLog())
	if err != nil {
		return err
	}
	if !state.Alive(s) {
		return &engine.Error{Class: engine.ErrUnavailable, Reason: "the deployment's supervisor ended as soon as it began",
			Hint: "see " + s.SupervisorLog()}
	}
	return state.WriteProcess(s, state.Process{PID: p.Pid, Started: startedAt(p.Pid)})
}

// awaitEnd waits until nothing of a dead supervisor runs any more: its lock is gone
// a moment before the kernel has ended its last instance.
func (d *Driver) awaitEnd(ctx context.Context, s state.Sandbox) error {
	p, err := state.ReadProcess(s)
	if err != nil {
		return nil //nolint:nilerr // there never was one, or it said nothing: the lock is all we know
	}
	for p.Started != "" && startedAt(p.PID) == p.Started {
		select {
		case <-d.after(2 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// startedAt tells the kernel's start time of a process, "" when it ended. A process
// counts as ended with its last thread only: a supervisor's first one may be gone
// while another still waits for the kernel to end the instances.
func startedAt(pid int) string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	const state, threads, started = 0, 17, 19 // fields 3, 20 and 22 of proc(5)
	if len(fields) <= started {
		return ""
	}
	if ended := fields[state] == "Z" || fields[state] == "X"; ended && fields[threads] <= "1" {
		return ""
	}
	return fields[started]
}

// shutdown ends the supervisor and with it every process of the deployment. The
// caller holds the lock.
func (d *Driver) shutdown(ctx context.Context, s state.Sandbox) error {
	if state.Alive(s) {
		polite, cancel := context.WithTimeout(ctx, 10*time.Second)
		_, _, err := control.Call(polite, s.Socket(), control.Request{Op: control.OpShutdown})
		cancel()
		if err != nil && state.Alive(s) {
			d.kill(s)
		}
	}
	for state.Alive(s) {
		select {
		case <-d.after(2 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return d.awaitEnd(ctx, s)
}

// kill ends a supervisor that does not listen.
func (d *Driver) kill(s state.Sandbox) {
	p, err := state.ReadProcess(s)
	if err != nil {
		return
	}
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if p.Started != "" && startedAt(p.PID) == p.Started {
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	}
}

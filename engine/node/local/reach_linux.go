package local

import (
	"context"
	"net"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/logfile"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// reach asks a living supervisor; without one nothing runs.
func (d *Driver) reach(ctx context.Context, key node.Key, r control.Request) (control.Reply, net.Conn, error) {
	s := d.sandbox(key.Deployment)
	if err := state.CheckName(key.Name); err != nil {
		return control.Reply{}, nil, err
	}
	if !state.Alive(s) {
		if _, err := describe(s.Instance(key.Name), nil); err != nil {
			return control.Reply{}, nil, err
		}
		return control.Reply{}, nil, &engine.Error{Class: engine.ErrUnavailable, Reason: "instance " + key.Name + " is not running"}
	}
	r.Instance = key.Name
	reply, passed, err := control.Call(ctx, s.Socket(), r)
	if err != nil || len(passed) == 0 {
		return reply, nil, err
	}
	defer passed[0].Close()
	c, err := net.FileConn(passed[0])
	return reply, c, err
}

// Exec implements node.Driver.
func (d *Driver) Exec(ctx context.Context, key node.Key, command []string) (node.ExecResult, error) {
	reply, _, err := d.reach(ctx, key, control.Request{Op: control.OpExec, Command: command})
	if err != nil || reply.Exec == nil {
		return node.ExecResult{}, err
	}
	return node.ExecResult{ExitCode: reply.Exec.ExitCode, Output: string(reply.Exec.Output)}, nil
}

// Dial implements node.Driver.
func (d *Driver) Dial(ctx context.Context, key node.Key, network string, port int) (net.Conn, error) {
	_, c, err := d.reach(ctx, key, control.Request{Op: control.OpDial, Network: network, Port: port})
	return c, err
}

// Drain implements node.Driver.
func (d *Driver) Drain(ctx context.Context, key node.Key) error {
	s := d.sandbox(key.Deployment)
	if !state.Alive(s) {
		return nil
	}
	_, _, err := control.Call(ctx, s.Socket(), control.Request{Op: control.OpDrain, Instance: key.Name})
	if ctx.Err() != nil || !state.Alive(s) {
		return nil // time is up, or everything ended: no connection is open
	}
	return err
}

// Logs implements node.Driver.
func (d *Driver) Logs(_ context.Context, key node.Key, lines int) ([]string, error) {
	if err := state.CheckName(key.Name); err != nil {
		return nil, err
	}
	return logfile.Tail(d.sandbox(key.Deployment).Log(key.Name), lines)
}

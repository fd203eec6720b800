package control

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Call asks the supervisor behind the socket for one thing. An error of the
// transport is ErrUnavailable; when ctx ends, the connection is closed, which the
// supervisor notices. A command that runs is killed then, and Call waits for that.
func Call(ctx context.Context, socket string, request Request, files ...*os.File) (Reply, []*os.File, error) {
	c, err := Connect(ctx, socket)
	if err != nil {
		return Reply{}, nil, silent(err)
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { hangUp(c, request.Op) })()
	request.Version = Version
	if err := Send(c, request, files...); err != nil {
		return Reply{}, nil, ended(ctx, err)
	}
	return Next(ctx, c)
}

// killTime bounds the wait for the end of a killed command.
const killTime = 5 * time.Second

func hangUp(c *net.UnixConn, op Op) {
	if op != OpExec {
		c.Close()
		return
	}
	_ = c.CloseWrite()
	_ = c.SetReadDeadline(time.Now().Add(killTime))
}

// Next reads one reply and turns a failure it carries into an error.
func Next(ctx context.Context, c *net.UnixConn) (Reply, []*os.File, error) {
	var reply Reply
	passed, err := Receive(c, &reply)
	if err != nil {
		return Reply{}, nil, ended(ctx, err)
	}
	if reply.Version != Version {
		closeAll(passed)
		return Reply{}, nil, engine.Conflict(
			fmt.Sprintf("the deployment's supervisor speaks version %d of the control protocol, this engine version %d", reply.Version, Version),
			"set desired_state to stopped, apply, and set it to running again: that starts a new supervisor")
	}
	if err := reply.Error.Err(); err != nil {
		closeAll(passed)
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return Reply{}, nil, err
	}
	return reply, passed, nil
}

func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return silent(err)
}

func silent(err error) error {
	return &engine.Error{Class: engine.ErrUnavailable, Reason: "the deployment's supervisor does not answer", Err: err,
		Hint: "apply again: a new supervisor is started"}
}

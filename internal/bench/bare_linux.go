package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/bare/order"
	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/stats"
)

// bareSide brings up as many processes with the bare program, from the same layers.
func (b *bench) bareSide(ctx context.Context, n int, chain bool) (side, error) {
	path, err := b.build(ctx, "/internal/bench/bare", "bare")
	if err != nil {
		return nil, err
	}
	layers, err := b.world.layers()
	if err != nil {
		return nil, err
	}
	o := order.Order{
		Layers: layers, Dir: filepath.Join(b.dir, "b"), Command: []string{program}, Count: n, Chain: chain, Port: appPort,
	}
	return func(ctx context.Context) (stats.Cost, error) { return bare(ctx, path, o) }, nil
}

// bare runs the bare program once, until all is healthy, and ends it.
func bare(ctx context.Context, path string, o order.Order) (spent stats.Cost, err error) {
	if err := os.Mkdir(o.Dir, 0o700); err != nil {
		return spent, err
	}
	defer func() { err = errors.Join(err, state.RemoveAll(o.Dir)) }()
	text, err := json.Marshal(o)
	if err != nil {
		return spent, err
	}
	var complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, path)
	cmd.Stderr = &complaints
	cmd.SysProcAttr = asSupervisor()
	in, err := cmd.StdinPipe()
	if err != nil {
		return spent, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return spent, err
	}
	spent, err = cost(func() error {
		if err := cmd.Start(); err != nil {
			return err
		}
		if _, err := in.Write(append(text, '\n')); err != nil {
			return err
		}
		said, err := bufio.NewReader(out).ReadString('\n')
		if strings.TrimSpace(said) != order.Healthy {
			return fmt.Errorf("the bare program said %q: %w", said, err)
		}
		return nil
	})
	in.Close()
	if cmd.Process != nil {
		if ended := cmd.Wait(); ended != nil {
			err = errors.Join(err, fmt.Errorf("the bare program: %w: %s", ended, complaints.Bytes()))
		}
	}
	return spent, err
}

// asSupervisor gives the program what a supervisor has: namespaces of
// its own, where it is root, and with its end everything in them ends.
func asSupervisor() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Setsid:      true,
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
}

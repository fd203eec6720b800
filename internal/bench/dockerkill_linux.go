package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
)

// dyingVariable makes this program the victim of workload W6: the number of steps
// that it may begin, the data directory, and the version's ref.
const dyingVariable = "SLIPWAY_BENCH_DYING"

// dyingPrefix is the deployment of workload W6.
const dyingPrefix = "dying"

// die updates the deployment as a victim does, and answers whether it was one.
func die(ctx context.Context) (bool, error) {
	order, isOne := os.LookupEnv(dyingVariable)
	if !isOne {
		return false, nil
	}
	parts := strings.SplitN(order, " ", 3)
	count, err := strconv.Atoi(parts[0])
	if err != nil {
		return true, err
	}
	steps := &atomic.Int32{}
	steps.Store(int32(count)) //nolint:gosec // a small number
	e, err := core.Open(ctx, core.Config{DataDir: parts[1], Journal: func(next core.Journal) core.Journal { return deadly{next, steps} }})
	if err != nil {
		return true, err
	}
	_, err = e.UpdateDeployment(ctx, wanted(environmentID, parts[2], dyingPrefix), nil)
	return true, errors.Join(err, e.Close())
}

// dockerKill is workload W6 on a Docker Engine.
func (b *bench) dockerKill(ctx context.Context) (err error) {
	d, err := b.openDocker(ctx)
	if err != nil {
		return err
	}
	var refs [2]string
	for i := range refs {
		all := b.components(2, true)
		for name, c := range all {
			c.Env = map[string]string{"TURN": strconv.Itoa(i)}
			all[name] = c
		}
		v, err := d.version(ctx, fmt.Sprintf("turn%d", i), all)
		if err != nil {
			return err
		}
		refs[i] = v.Ref
	}
	defer func() { err = errors.Join(err, d.remove(ctx, environmentID, dyingPrefix)) }()
	if err := d.create(ctx, environmentID, refs[0], dyingPrefix); err != nil {
		return err
	}
	killed, byHand, orphans, away := 0, 0, 0, 0
	for turn := 1; ; turn++ {
		ref := refs[turn%2]
		died, err := b.victim(ctx, turn-1, ref)
		if err != nil {
			return err
		}
		if !died {
			break // the operation has no more steps
		}
		killed++
		up, err := d.containersOf(ctx, dyingPrefix, false)
		if err != nil {
			return err
		}
		if up < 2 {
			away++
		}
		if _, err := d.UpdateDeployment(ctx, wanted(environmentID, ref, dyingPrefix), nil); err != nil {
			b.line("  killed at step %d, and again: %v", turn, err)
			byHand++
		}
		there, err := d.containersOf(ctx, dyingPrefix, true)
		if err != nil {
			return err
		}
		orphans += there - 2
	}
	b.value(fmt.Sprintf("%d kills, steps by hand after them", killed), strconv.Itoa(byHand), "0")
	b.value("  containers left over, or missing", strconv.Itoa(orphans), "0")
	b.value("  kills after which fewer containers ran than shall", strconv.Itoa(away), "0")
	return nil
}

// victim updates in another process, which is killed when it begins a step too many.
func (b *bench) victim(ctx context.Context, steps int, ref string) (died bool, err error) {
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s %s", dyingVariable, steps, filepath.Join(b.dir, dockerDir), ref))
	said, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signal() == syscall.SIGKILL && ctx.Err() == nil {
			return true, nil
		}
	}
	if err != nil {
		return false, fmt.Errorf("the process to be killed: %w\n%s", err, said)
	}
	return false, nil
}

// containersOf counts a deployment's containers, all or those that run.
func (d *dockerWorld) containersOf(ctx context.Context, prefix string, all bool) (int, error) {
	list, err := d.api.ContainerList(ctx, client.ContainerListOptions{All: all, Filters: make(client.Filters).Add("name", "^/?"+prefix+"-")})
	return len(list.Items), err
}

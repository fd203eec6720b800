package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/meter"
)

// look is how often a provider's memory is read; the kernel keeps its peak.
const look = 20 * time.Millisecond

// memory tells the peaks of the built provider, as provider and as supervisor.
func (b *bench) memory(ctx context.Context) error {
	for _, n := range []int{1, slices.Max(b.scales)} {
		if err := b.memoryOfDeployment(ctx, n); err != nil {
			return err
		}
	}
	n := slices.Max(b.resources)
	p, err := b.applied(ctx, fmt.Sprintf("s%d", n), versionsConfiguration(b.registry(), b.image, n))
	if err != nil {
		return err
	}
	peak, err := peakOf(ctx, func() error { _, err := p.plan(ctx); return err })
	if err != nil {
		return err
	}
	b.value(fmt.Sprintf("provider, plan of %d unchanged versions", n), mebibytes(peak), "")
	return nil
}

func (b *bench) memoryOfDeployment(ctx context.Context, n int) (err error) {
	p, err := b.project(ctx, fmt.Sprintf("d%d", n), deploymentConfiguration(b.registry(), b.image, n))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.removeDeployment(context.WithoutCancel(ctx))) }()
	peak, err := peakOf(ctx, func() error { _, err := p.run(ctx, "apply", "-auto-approve"); return err })
	if err != nil {
		return err
	}
	b.value(fmt.Sprintf("provider, apply of %d components", n), mebibytes(peak), "")
	supervisor, err := p.supervisor(ctx)
	if err != nil {
		return err
	}
	held, err := meter.MemoryOf(supervisor)
	if err != nil {
		return err
	}
	b.value(fmt.Sprintf("supervisor of %d instances", n), mebibytes(held.Peak), "now "+mebibytes(held.Now))
	return nil
}

// peakOf tells the most that a provider held while work ran.
func peakOf(ctx context.Context, work func() error) (int64, error) {
	watched, stop := context.WithCancel(ctx)
	defer stop()
	type answer struct {
		peak int64
		err  error
	}
	seen := make(chan answer, 1)
	go func() {
		peak, err := meter.Watch(watched, os.Getpid(), look, isProvider)
		seen <- answer{peak, err}
	}()
	err := work()
	stop()
	a := <-seen
	return a.peak, errors.Join(err, a.err)
}

// isProvider tells a provider from the supervisors that it starts.
func isProvider(args []string) bool {
	return strings.HasPrefix(filepath.Base(args[0]), "terraform-provider-") && !slices.Contains(args[1:], local.SuperviseCommand)
}

// deployedID is the deployment of deploymentConfiguration.
const deployedID = environmentID + "/all"

func (p project) engine(ctx context.Context) (*core.Engine, error) {
	return core.Open(ctx, core.Config{DataDir: filepath.Join(p.dir, ".slipway")})
}

// supervisor is the process that supervises the project's deployment.
func (p project) supervisor(ctx context.Context) (int, error) {
	e, err := p.engine(ctx)
	if err != nil {
		return 0, err
	}
	defer e.Close() //nolint:errcheck // it was only read
	root := state.Root{Dir: filepath.Join(p.dir, ".slipway", "nodes", "acme", "here")}
	running, err := state.ReadProcess(root.Sandbox(e.EngineID(), deployedID))
	return running.PID, err
}

// removeDeployment takes the deployment from the node, also one that an
// interrupted terraform did not note.
func (p project) removeDeployment(ctx context.Context) error {
	e, err := p.engine(ctx)
	if err != nil {
		return err
	}
	err = e.DeleteDeployment(ctx, deployedID)
	if errors.Is(err, engine.ErrNotFound) {
		err = nil
	}
	return errors.Join(err, e.Close())
}

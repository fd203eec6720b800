package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// bench is one run of this program.
type bench struct {
	options
	report
	dir    string             // temporary, and short: local nodes keep sockets below it
	image  string             // reference of the application, at a registry of this process
	done   map[string]project // by name, those that are applied
	world  *world             // the engine that deploys, opened by the first workload that needs it
	docker *dockerWorld       // the same on a Docker Engine
}

// workload is a part of the run that can be chosen.
type workload struct {
	name  string
	title string
	run   func(*bench, context.Context) error
	asked bool // only when it is named: it takes long
}

var workloads = []workload{
	{"deploy", "W1  components brought up on a local node, against bare processes", (*bench).deploys, false},
	{"first", "W5  the first healthy instance, and a chain of five depends_on", (*bench).first, false},
	{"traffic", "W3  upgrades on a local node under " + trafficTitle, (*bench).traffic, false},
	{"start", "Start of one cached instance", (*bench).starts, false},
	{"plan", "W2  plan of unchanged slipway_version, against the smallest framework provider", (*bench).plansOf, false},
	{"docker-deploy", "W1  components brought up on a Docker node, against the bare API", (*bench).dockerDeploys, false},
	{"docker-first", "W5  the first healthy instance on a Docker node, and a chain of five depends_on", (*bench).dockerFirst, false},
	{"docker-plan", "W2  plan of unchanged containers on a Docker node, against as many of the smallest resource", (*bench).dockerPlans, false},
	{"docker-traffic", "W3  upgrades on a Docker node under " + trafficTitle, (*bench).dockerTraffic, false},
	{"kamal", "W3  the same with the proxy that " + kamalVariable + " names", (*bench).kamal, false},
	{"docker-peer-traffic", "W3  the same with the provider that " + peerVariable + " names, and a published port", (*bench).peerUnderLoad, false},
	{"compose", "W3  the same with the Docker Compose that " + composeVariable + " names", (*bench).composeUnderLoad, false},
	{"docker-bad", "W4  bad versions on a Docker node, while the last good one is asked without a pause", (*bench).dockerBad, false},
	{"docker-kill", "W6  kill -9 at every step of an upgrade on a Docker node, then the same again", (*bench).dockerKill, false},
	{"docker-peer", "W1 and W2 on a Docker node, against the provider that " + peerVariable + " names", (*bench).dockerPeer, false},
	{"memory", "Peak memory", (*bench).memory, false},
	{"schema", "Plan of unchanged slipway_version, against the smallest provider with the same schema", (*bench).schema, true},
}

// run runs what was chosen and cleans up, also when ctx ended.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	if victim, err := die(ctx); victim {
		return err
	}
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	if o.rounds < 1 {
		return errors.New("-rounds must be at least 1")
	}
	b := &bench{options: o, report: report{out: out}, done: map[string]project{}}
	if b.dir, err = os.MkdirTemp("", "slb"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, state.RemoveAll(b.dir)) }()
	server, err := b.serveImage(ctx)
	if err != nil {
		return err
	}
	defer server.Close()
	defer func() { err = errors.Join(err, b.world.close(), b.docker.close()) }()
	b.line("%d processors, %s, medians of %d rounds, %s", runtime.NumCPU(), runtime.Version(), o.rounds, time.Now().Format(time.DateTime))
	for _, w := range chosen {
		b.head(w.title)
		err := w.run(b, ctx)
		var skipped cannot
		if errors.As(err, &skipped) {
			b.line("  skipped: %s", skipped.why)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return nil
}

// choose finds the workloads by their names, in the order of the list.
func choose(only string) ([]workload, error) {
	if only == "" {
		return slices.DeleteFunc(slices.Clone(workloads), func(w workload) bool { return w.asked }), nil
	}
	names := strings.Split(only, ",")
	var chosen []workload
	for _, w := range workloads {
		if i := slices.Index(names, w.name); i >= 0 {
			chosen = append(chosen, w)
			names = slices.Delete(names, i, i+1)
		}
	}
	if len(names) > 0 {
		return nil, fmt.Errorf("there is no workload %q", names[0])
	}
	return chosen, nil
}

const module = "github.com/slipwayhq/terraform-provider-slipway"

// build compiles a package of the module for this machine and answers its path.
func (b *bench) build(ctx context.Context, pkg, path string) (string, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(b.dir, path)
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", path, module+pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOTMPDIR="+b.dir, "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH)
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", pkg, err, said)
	}
	return path, nil
}

package core_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/docker"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// envVictim makes this program a process that is killed at a journaled step.
const envVictim = "SLIPWAY_TEST_VICTIM"

// envKills asks with "all" for the steps of two components, not of one alone.
const envKills = "SLIPWAY_TEST_KILLS"

// victim is what the process shall do, and which step it must not begin.
type victim struct {
	Dir, Do, Ref string
	At           int32
}

func TestMain(m *testing.M) {
	local.Main()
	if order := os.Getenv(envVictim); order != "" {
		if err := die(order); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// die does as it was told, until it is killed.
func die(order string) error {
	var v victim
	if err := json.Unmarshal([]byte(order), &v); err != nil {
		return err
	}
	ctx := context.Background()
	var begun atomic.Int32
	e, err := core.Open(ctx, core.Config{DataDir: v.Dir, Journal: func(next core.Journal) core.Journal { return deadly{next, &begun, v.At} }})
	if err != nil {
		return err
	}
	err = killables[v.Do](ctx, e, v.Ref)
	return errors.Join(err, e.Close())
}

// deadly kills its process when a step too many begins, and says which one.
type deadly struct {
	next  core.Journal
	begun *atomic.Int32
	at    int32
}

func (d deadly) Begin(ctx context.Context, s rollout.Step) (func(error), error) {
	if d.begun.Add(1) == d.at {
		fmt.Println(strings.TrimSpace(s.Name + " " + path.Base(s.Detail[:strings.IndexByte(s.Detail+"@", '@')])))
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return d.next.Begin(ctx, s)
}

const tableID = "acme/test/killed"

// killables are what a process can be killed in.
var killables = map[string]func(ctx context.Context, e *core.Engine, ref string) error{
	"create": func(ctx context.Context, e *core.Engine, ref string) error {
		_, err := e.CreateDeployment(ctx, tabled(ref), nil)
		return err
	},
	"update": func(ctx context.Context, e *core.Engine, ref string) error {
		_, err := e.UpdateDeployment(ctx, tabled(ref), nil)
		return err
	},
	"destroy": func(ctx context.Context, e *core.Engine, _ string) error { return e.DeleteDeployment(ctx, tableID) },
}

func tabled(ref string) engine.Deployment {
	return engine.Deployment{EnvironmentID: "acme/test", Prefix: "killed", Version: ref, Strategy: engine.Strategy{
		Type: "rolling", MaxParallel: 1, MinHealthyTime: "0s", ProgressDeadline: "2m", DrainTimeout: "0s", AutoRollback: true,
	}}
}

// table is an engine with a node of a real runtime, whose processes are killed.
type table struct {
	*testing.T
	dir    string
	engine *core.Engine
	both   bool            // components, else db alone
	census func() []string // everything of the deployment on its node but volumes
	refs   map[string]string
}

// TestKillTable kills -9 a process at every journaled step of everything that
// works on a deployment, on local and on Docker nodes. The next run brings what
// it wants, and leaves nothing else.
func TestKillTable(t *testing.T) {
	if testing.Short() {
		t.Skip("killing a process at every step takes a while; run without -short")
	}
	t.Parallel()
	registry := testimage.Registry(t, testimage.RegistryOptions{})
	registry.Push(t, "app:1", testimage.App(t, "1", nil))
	registry.Push(t, "app:2", testimage.App(t, "2", nil))
	registry.Push(t, "app:bad", testimage.App(t, "bad", map[string]string{"EXIT_NOW": "3"}))
	t.Run("local", func(t *testing.T) {
		t.Parallel()
		x := &table{T: t, dir: t.TempDir(), both: os.Getenv(envKills) == "all"}
		x.furnish(registry, engine.Node{Kind: engine.NodeLocal, Local: &engine.LocalNode{Address: "127.0.0.1", Root: x.dir + "/node"}})
		x.census = x.localCensus()
		x.fill()
	})
	t.Run("docker", func(t *testing.T) {
		t.Parallel()
		d := testdocker.Shared(t)
		x := &table{T: t, dir: t.TempDir(), both: os.Getenv(envKills) == "all"}
		x.furnish(registry, dockerNode(d, 0))
		x.census = x.dockerCensus(d.Client(t), d.Host)
		x.fill()
	})
}

// fill goes through the rows of the table: each operation again and again,
// killed one step later every time, until it has no such step.
func (x *table) fill() {
	for at, more := int32(1), true; more; at++ {
		more = x.row("create", at, "create", "1", "1")
		x.row("destroy", at, "destroy", "", "")
	}
	x.row("create", 0, "create", "1", "1")
	for at, up, back := int32(1), true, true; up || back; at++ {
		up = x.row("upgrade", at, "update", "2", "2")
		back = x.row("rollback", at, "update", "1", "1")
	}
	for at := int32(1); x.row("failed upgrade", at, "update", "bad", "1"); at++ {
	}
	x.row("destroy", 0, "destroy", "", "")
}

// row does something in a process that is killed at a step, 0 for none, and then
// what is wanted; it reports whether there was such a step.
func (x *table) row(name string, at int32, do, version, wanted string) (killed bool) {
	x.Helper()
	var step string
	if at > 0 {
		step, killed = x.kill(victim{Dir: x.dir, Do: do, Ref: x.refs[version], At: at})
	}
	between := x.census()
	x.open()
	err := killables[do](x.Context(), x.engine, x.refs[wanted])
	if errors.Is(err, engine.ErrNotFound) && do == "destroy" {
		err = nil // it was gone already
	}
	if err != nil {
		x.Fatalf("%s, killed at step %d (%s): the next run failed: %v", name, at, step, err)
	}
	x.mustServe(wanted, fmt.Sprintf("%s, killed at step %d (%s)", name, at, step))
	if killed {
		x.Logf("%-18s killed at step %2d %-18s left %-36s -> %s", name, at, step, strings.Join(between, " "), map[bool]string{true: "nothing", false: "version " + wanted + " serves"}[wanted == ""])
	}
	return killed
}

// kill answers the step that the process was killed at, and whether it was.
func (x *table) kill(v victim) (step string, killed bool) {
	x.Helper()
	order, err := json.Marshal(v)
	if err != nil {
		x.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), envVictim+"="+string(order))
	said, err := cmd.Output()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return strings.TrimSpace(string(said)), true
		}
	}
	if expected := x.refs["bad"] == v.Ref && v.Ref != ""; err != nil && !expected {
		x.Fatalf("%s of %s was to be killed at step %d: %v", v.Do, v.Ref, v.At, err)
	}
	return "", false
}

// mustServe demands that exactly the wanted version runs, and nothing else is there.
func (x *table) mustServe(version, when string) {
	x.Helper()
	d, err := x.engine.Deployment(x.Context(), tableID)
	if version == "" {
		if left := x.census(); !errors.Is(err, engine.ErrNotFound) || len(left) > 0 {
			x.Fatalf("%s: %v, and %v is left", when, err, left)
		}
		return
	}
	if err != nil {
		x.Fatal(err)
	}
	if o := d.Observed; o.ServingVersion != x.refs[version] || o.Health != engine.HealthHealthy || len(o.Drift) > 0 {
		x.Fatalf("%s: version %s wanted, %s serves, %s, drift %v", when, version, o.ServingVersion, o.Health, o.Drift)
	}
	components := map[string]int{}
	for _, name := range x.census() {
		components[name[:strings.IndexByte(name, '-')]]++
	}
	want := map[string]int{"db": 1}
	if x.both {
		want["api"] = 1
	}
	if !maps.Equal(components, want) {
		x.Fatalf("%s: %v is on the node", when, x.census())
	}
	running, err := x.engine.Operations(x.Context(), engine.OperationFilter{DeploymentID: tableID, Status: engine.OperationRunning})
	if err != nil || len(running) > 0 {
		x.Fatalf("%s: %d operations never ended (%v)", when, len(running), err)
	}
}

// open opens the engine anew, as the next process does.
func (x *table) open() {
	x.Helper()
	if x.engine != nil {
		_ = x.engine.Close()
	}
	var err error
	if x.engine, err = core.Open(x.Context(), core.Config{DataDir: x.dir}); err != nil {
		x.Fatal(err)
	}
}

// localCensus looks with a driver of its own.
func (x *table) localCensus() func() []string {
	x.Helper()
	d, err := local.New(local.Config{
		Root: x.dir + "/node", Address: "127.0.0.1", EngineID: x.engine.EngineID(), Executable: []string{"/proc/self/exe", local.SuperviseCommand},
	})
	return func() []string { return x.names(d, err) }
}

func (x *table) names(d node.Driver, err error) (names []string) {
	x.Helper()
	var all []node.Instance
	if err == nil {
		all, err = d.List(x.Context())
	}
	if err != nil {
		x.Fatal(err)
	}
	for _, i := range all {
		names = append(names, i.Key.Name)
	}
	return names
}

// dockerCensus also finds a network that nobody needs.
func (x *table) dockerCensus(api *client.Client, host string) func() []string {
	x.Helper()
	d, err := docker.New(docker.Config{Connection: docker.Connection{Host: host}, EngineID: x.engine.EngineID()})
	own := make(client.Filters).Add("label", "slipway.engine="+x.engine.EngineID())
	return func() []string {
		names := x.names(d, err)
		networks, err := api.NetworkList(x.Context(), client.NetworkListOptions{Filters: own})
		if err != nil {
			x.Fatal(err)
		}
		if len(names) == 0 {
			for _, n := range networks.Items {
				names = append(names, "network-"+n.Name)
			}
		}
		return names
	}
}

// furnish makes everything that the deployment refers to: db, whose volume lets
// it stop first, and perhaps api, which starts first. The versions differ in both.
func (x *table) furnish(registry *testimage.RegistryServer, n engine.Node) {
	x.Helper()
	ctx := x.Context()
	x.open()
	x.Cleanup(func() { _ = x.engine.Close() })
	e := x.engine
	err := furnish(ctx, e, n, registry, engine.EnvironmentProduction)
	check := map[string]engine.HealthCheck{"up": {HTTP: &engine.HTTPCheck{Port: 8080, Path: "/healthz"}}}
	x.refs = map[string]string{}
	for i, tag := range []string{"1", "2", "bad"} {
		if err != nil {
			x.Fatal(err)
		}
		image := registry.URL() + "/app:"
		components := map[string]engine.Component{
			"db": {Image: image + tag, HealthChecks: check, Volumes: map[string]engine.Volume{"data": {Path: "/data", OnDestroy: "delete"}}},
		}
		if x.both {
			components["api"] = engine.Component{Image: image + tag, HealthChecks: check, DependsOn: []string{"db"}}
		}
		var v engine.Version
		v, err = e.CreateVersion(ctx, engine.Version{
			ProductID: "acme/shop", Name: strconv.Itoa(i+1) + ".0.0", Type: engine.VersionIncremental, Status: engine.VersionActive,
			Components: components,
		})
		x.refs[tag] = v.Ref
	}
	if err != nil {
		x.Fatal(err)
	}
}

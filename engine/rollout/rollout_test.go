package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/fake"
	"github.com/slipwayhq/terraform-provider-slipway/engine/plan"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
)

const deployment = "acme/production/shop"

// noJournal lets everything happen.
type noJournal struct{}

func (noJournal) Begin(context.Context, rollout.Step) (func(error), error) {
	return func(error) {}, nil
}

// stage is a node with a runner, and the revisions brought to it so far.
type stage struct {
	t        *testing.T
	node     *fake.Node
	driver   node.Driver
	runner   rollout.Runner
	revision int
	serving  *rollout.Target
	strategy rollout.Strategy
}

// inFakeTime runs a test in a bubble where waiting costs nothing.
func inFakeTime(test func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) { synctest.Test(t, test) }
}

func newStage(t *testing.T) *stage {
	n := fake.New()
	n.MayNotOverlap = func(a, b node.Spec) {
		if len(b.Component.Volumes) > 0 {
			t.Errorf("%s and %s write to one volume at once", a.Key.Name, b.Key.Name)
		}
	}
	d := n.Driver("eng_1")
	return &stage{
		t: t, node: n, driver: d,
		runner: rollout.Runner{Driver: d, Clock: health.SystemClock{}, Journal: noJournal{}, Log: slog.New(slog.DiscardHandler)},
		strategy: rollout.Strategy{
			MaxParallel: 1, MinHealthyTime: 150 * time.Millisecond, ProgressDeadline: 2 * time.Second,
			DrainTimeout: time.Second, AutoRollback: true,
		},
	}
}

// components of a shop: db with a volume, api that depends on it, both checked.
func components(version string) map[string]engine.Component {
	check := map[string]engine.HealthCheck{"up": {HTTP: &engine.HTTPCheck{Port: 8080}}}
	return map[string]engine.Component{
		"db": {
			Image: "r.test/db:1", HealthChecks: check,
			Volumes: map[string]engine.Volume{"data": {Path: "/data"}},
		},
		"api": {
			Image: "r.test/api:1", HealthChecks: check, DependsOn: []string{"db"},
			Ports: map[string]engine.Port{"http": {ContainerPort: 8080, HostPort: new(int)}},
			Env:   map[string]string{"VERSION": version},
		},
	}
}

func with(cs map[string]engine.Component, name string, change func(*engine.Component)) map[string]engine.Component {
	c := cs[name]
	change(&c)
	cs[name] = c
	return cs
}

func behave(how string) func(*engine.Component) {
	return func(c *engine.Component) {
		c.Env = map[string]string{fake.BehaviourVariable: how}
	}
}

func (s *stage) target(version string, cs map[string]engine.Component) rollout.Target {
	images := map[string]string{}
	pulls := map[string]node.Image{}
	for name, c := range cs {
		images[name] = c.Image + "@sha256:" + strings.Repeat("a", 64)
		pulls[name] = node.Image{Reference: images[name]}
	}
	effective, err := catalog.Merge(catalog.MergeInput{Components: cs, Images: images})
	if err != nil {
		s.t.Fatal(err)
	}
	return rollout.Target{
		Version: version, Components: effective, Images: pulls, Secrets: map[string]node.Secrets{},
		Labels: node.Labels{Engine: "eng_1", Deployment: deployment, Revision: s.revision},
	}
}

// bring rolls the components out and keeps them as serving when it succeeds.
func (s *stage) bring(ctx context.Context, version string, cs map[string]engine.Component) error {
	s.t.Helper()
	s.revision++
	target := s.target(version, cs)
	observed, err := s.driver.List(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	var prior map[string]catalog.Effective
	if s.serving != nil {
		prior = s.serving.Components
	}
	var seen []plan.Instance
	for _, i := range observed {
		seen = append(seen, plan.Instance{
			Name: i.Key.Name, Component: i.Labels.Component, Ordinal: i.Labels.Ordinal,
			Revision: i.Labels.Revision, ConfigHash: i.Labels.ConfigHash, Usable: i.State == node.Running,
		})
	}
	volumes, err := s.driver.Volumes(ctx, deployment)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.runner.Run(ctx, rollout.Input{
		VolumesBefore: volumes,
		Deployment:    deployment, OperationID: "op_1", Target: target, Prior: s.serving, Observed: observed, Strategy: s.strategy,
		Plan:   plan.Make(prior, plan.Desired{Components: target.Components}, seen, plan.Traits{StartFirstPorts: true}),
		Commit: func(context.Context) error { s.serving = &target; return nil },
	})
}

func (s *stage) mustBring(version string, cs map[string]engine.Component) {
	s.t.Helper()
	if err := s.bring(s.t.Context(), version, cs); err != nil {
		s.t.Fatal(err)
	}
}

// runs demands exactly these running instances, and traffic for them.
func (s *stage) runs(names ...string) {
	s.t.Helper()
	var running, all []string
	for _, i := range s.node.Running(deployment) {
		running = append(running, i.Key.Name)
	}
	for _, i := range s.node.All() {
		all = append(all, i.Key.Name)
	}
	if !slices.Equal(running, names) {
		s.t.Errorf("running %v, want %v", running, names)
	}
	if !slices.Equal(all, names) {
		s.t.Errorf("on the node %v, want only %v", all, names)
	}
	for _, n := range names {
		component, _, _ := strings.Cut(n, "-")
		if routed := s.node.Routed(deployment, component); !slices.Contains(routed, n) {
			s.t.Errorf("traffic of %s goes to %v, not to %s", component, routed, n)
		}
	}
}

func TestComponentsStartInDependencyOrder(t *testing.T) {
	synctest.Test(t, componentsStartInDependencyOrder)
}

func componentsStartInDependencyOrder(t *testing.T) {
	s := newStage(t)
	s.mustBring("1.0.0", components("1"))
	s.runs("api-1-1", "db-1-1")
	calls := s.node.Calls()
	if slices.Index(calls, "start db-1-1") > slices.Index(calls, "create api-1-1") {
		t.Errorf("api was made before db started: %v", calls)
	}
}

func TestUnchangedComponentIsNotTouched(t *testing.T) {
	synctest.Test(t, unchangedComponentIsNotTouched)
}

func unchangedComponentIsNotTouched(t *testing.T) {
	s := newStage(t)
	s.mustBring("1.0.0", components("1"))
	s.node.Calls()
	s.mustBring("1.1.0", components("2"))
	s.runs("api-2-1", "db-1-1")
	for _, call := range s.node.Calls() {
		if strings.Contains(call, "db-") {
			t.Errorf("db was touched: %s", call)
		}
	}
}

func TestOldStopsOnlyAfterTrafficMoved(t *testing.T) { synctest.Test(t, oldStopsOnlyAfterTrafficMoved) }

func oldStopsOnlyAfterTrafficMoved(t *testing.T) {
	s := newStage(t)
	s.mustBring("1.0.0", components("1"))
	s.node.Calls()
	s.mustBring("1.1.0", components("2"))
	calls := s.node.Calls()
	started, stopped := slices.Index(calls, "start api-2-1"), slices.Index(calls, "stop api-1-1")
	routed := slices.Index(calls[started:], "route "+deployment) + started
	if started < 0 || routed < started || stopped < routed {
		t.Errorf("want start, route, stop; got %v", calls)
	}
}

func TestRemovedComponentGoesAfterCommit(t *testing.T) {
	synctest.Test(t, removedComponentGoesAfterCommit)
}

func removedComponentGoesAfterCommit(t *testing.T) {
	s := newStage(t)
	s.mustBring("1.0.0", components("1"))
	only := components("1")
	delete(only, "api")
	s.mustBring("1.1.0", only)
	s.runs("db-1-1")
	if routed := s.node.Routed(deployment, "api"); routed != nil {
		t.Errorf("api still has traffic to %v", routed)
	}
}

func TestReplicasAreReplacedOneByOne(t *testing.T) { synctest.Test(t, replicasAreReplacedOneByOne) }

func replicasAreReplacedOneByOne(t *testing.T) {
	s := newStage(t)
	three := func(c *engine.Component) { n := 3; c.Replicas = &n }
	s.mustBring("1.0.0", with(components("1"), "api", three))
	s.runs("api-1-1", "api-1-2", "api-1-3", "db-1-1")
	s.node.Calls()
	s.mustBring("1.1.0", with(components("2"), "api", three))
	s.runs("api-2-1", "api-2-2", "api-2-3", "db-1-1")
	calls := s.node.Calls()
	first, second := slices.Index(calls, "start api-2-1"), slices.Index(calls, "create api-2-2")
	if !slices.Contains(calls[first:second], "route "+deployment) {
		t.Errorf("the second was made before the first had traffic: %v", calls)
	}
}

// Every way to fail ends the same: the old revision serves, nothing new is
// left, and the error tells where and why.
func TestFailureLeavesTheOldServing(t *testing.T) {
	cases := map[string]struct {
		next      func() map[string]engine.Component
		arrange   func(*stage)
		phase     engine.Phase
		component string
		exit      int
		message   string
		logs      bool
	}{
		"exits at once": {
			next:  func() map[string]engine.Component { return with(components("2"), "api", behave(fake.Exits)) },
			phase: engine.PhaseStart, component: "api", exit: 3, message: "exit code 3", logs: true,
		},
		"never healthy": {
			next:  func() map[string]engine.Component { return with(components("2"), "api", behave(fake.Sick)) },
			phase: engine.PhaseCheck, component: "api", message: "503", logs: true,
		},
		"dies while it should be stable": {
			next:  func() map[string]engine.Component { return with(components("2"), "api", behave(fake.DiesSoon)) },
			phase: engine.PhaseStabilise, component: "api", exit: 4, message: "exit code 4", logs: true,
		},
		"single writer that exits": {
			next:  func() map[string]engine.Component { return with(components("2"), "db", behave(fake.Exits)) },
			phase: engine.PhaseStart, component: "db", exit: 3, message: "exit code 3", logs: true,
		},
		"image cannot be pulled": {
			next: func() map[string]engine.Component {
				return with(components("2"), "api", func(c *engine.Component) { c.Image = "r.test/api:gone" })
			},
			arrange: func(s *stage) { s.node.Missing["r.test/api:gone@sha256:"+strings.Repeat("a", 64)] = true },
			phase:   engine.PhasePull, component: "api", message: "no image r.test/api:gone",
		},
		"port taken": {
			next: func() map[string]engine.Component {
				port := 9000
				return with(components("2"), "api", func(c *engine.Component) {
					c.Ports = map[string]engine.Port{"http": {ContainerPort: 8080, HostPort: &port}}
				})
			},
			arrange: func(s *stage) { s.node.PortsHeld[9000] = true },
			phase:   engine.PhasePreflight, component: "api", message: "port 9000 is taken",
		},
		"cannot be created": {
			next: func() map[string]engine.Component { return components("2") },
			arrange: func(s *stage) {
				s.node.SetFault(func(method, name string) error {
					if method == "create" && name == "api-2-1" {
						return errors.New("no space left on device")
					}
					return nil
				})
			},
			phase: engine.PhaseStart, component: "api", message: "no space left", logs: true,
		},
	}
	for name, c := range cases {
		t.Run(name, inFakeTime(func(t *testing.T) {
			s := newStage(t)
			s.mustBring("1.0.0", components("1"))
			if c.arrange != nil {
				c.arrange(s)
			}
			err := s.bring(t.Context(), "2.0.0", c.next())
			var failure *engine.RolloutError
			if !errors.As(err, &failure) {
				t.Fatalf("error is %v", err)
			}
			if failure.Phase != c.phase || failure.Component != c.component || !strings.Contains(failure.Message, c.message) {
				t.Errorf("told %s of %q: %q", failure.Phase, failure.Component, failure.Message)
			}
			if c.exit != 0 && (failure.ExitCode == nil || *failure.ExitCode != c.exit) {
				t.Errorf("exit code is %v", failure.ExitCode)
			}
			if (len(failure.LogLines) > 0) != c.logs {
				t.Errorf("log lines are %q", failure.LogLines)
			}
			if !strings.Contains(failure.Restored, "1.0.0") || failure.OperationID != "op_1" {
				t.Errorf("restored %q, operation %q", failure.Restored, failure.OperationID)
			}
			s.runs("api-1-1", "db-1-1")

			s.node.SetFault(nil)
			s.node.Missing, s.node.PortsHeld = map[string]bool{}, map[int]bool{}
			s.mustBring("2.0.0", components("3"))
			s.runs(fmt.Sprintf("api-%d-1", s.revision), "db-1-1")
		}))
	}
}

func TestFirstFailureLeavesNothing(t *testing.T) { synctest.Test(t, firstFailureLeavesNothing) }

func firstFailureLeavesNothing(t *testing.T) {
	s := newStage(t)
	err := s.bring(t.Context(), "1.0.0", with(components("1"), "api", behave(fake.Exits)))
	var failure *engine.RolloutError
	if !errors.As(err, &failure) || !strings.Contains(failure.Restored, "left nothing behind") {
		t.Fatalf("error is %v", err)
	}
	s.runs()
	if volumes, _ := s.driver.Volumes(t.Context(), deployment); len(volumes) > 0 {
		t.Errorf("volumes %v are left", volumes)
	}
}

func TestFirstFailureKeepsVolumesOfEarlierTimes(t *testing.T) {
	synctest.Test(t, firstFailureKeepsVolumesOfEarlierTimes)
}

func firstFailureKeepsVolumesOfEarlierTimes(t *testing.T) {
	s := newStage(t)
	s.mustBring("1.0.0", components("1"))
	if err := s.driver.RemoveDeployment(t.Context(), deployment, nil); err != nil {
		t.Fatal(err)
	}
	s.serving = nil
	if s.bring(t.Context(), "1.0.0", with(components("1"), "api", behave(fake.Exits))) == nil {
		t.Fatal("it succeeded")
	}
	volumes, _ := s.driver.Volumes(t.Context(), deployment)
	if !slices.Equal(volumes, []string{"db/data"}) {
		t.Errorf("volumes are %v, the retained one must stay", volumes)
	}
}

func TestCancelRestores(t *testing.T) { synctest.Test(t, cancelRestores) }

func cancelRestores(t *testing.T) {
	s := newStage(t)
	s.mustBring("1.0.0", components("1"))
	ctx, cancel := context.WithCancel(t.Context())
	s.node.SetFault(func(method, name string) error {
		if method == "start" && name == "api-2-1" {
			cancel()
		}
		return nil
	})
	err := s.bring(ctx, "2.0.0", components("2"))
	var failure *engine.RolloutError
	if !errors.As(err, &failure) || !strings.Contains(failure.Message, "cancelled") {
		t.Fatalf("error is %v", err)
	}
	s.runs("api-1-1", "db-1-1")
}

func TestFailingCommitRestores(t *testing.T) { synctest.Test(t, failingCommitRestores) }

func failingCommitRestores(t *testing.T) {
	s := newStage(t)
	s.mustBring("1.0.0", components("1"))
	s.revision++
	target := s.target("2.0.0", components("2"))
	observed, _ := s.driver.List(t.Context())
	err := s.runner.Run(t.Context(), rollout.Input{
		Deployment: deployment, Target: target, Prior: s.serving, Observed: observed, Strategy: s.strategy,
		Plan: plan.Make(s.serving.Components, plan.Desired{Components: target.Components}, []plan.Instance{
			{Name: "api-1-1", Component: "api", ConfigHash: s.serving.Components["api"].ConfigHash, Usable: true},
			{Name: "db-1-1", Component: "db", ConfigHash: s.serving.Components["db"].ConfigHash, Usable: true},
		}, plan.Traits{StartFirstPorts: true}),
		Commit: func(context.Context) error { return errors.New("disk full") },
	})
	var failure *engine.RolloutError
	if !errors.As(err, &failure) || failure.Phase != engine.PhaseCommit {
		t.Fatalf("error is %v", err)
	}
	s.runs("api-1-1", "db-1-1")
}

// What a killed run left is taken back, wherever it was killed.
func TestSettleAfterKillAtEveryCall(t *testing.T) {
	next := func() map[string]engine.Component {
		return with(components("2"), "db", func(c *engine.Component) { c.Env = map[string]string{"NEW": "1"} })
	}
	var calls []string
	synctest.Test(t, func(t *testing.T) {
		whole := newStage(t)
		whole.mustBring("1.0.0", components("1"))
		whole.node.Calls()
		whole.mustBring("2.0.0", next())
		calls = slices.DeleteFunc(whole.node.Calls(), func(c string) bool { return c == "list " })
	})

	killed := errors.New("killed")
	for at := range calls {
		t.Run(fmt.Sprintf("%02d before %s", at, calls[at]), inFakeTime(func(t *testing.T) {
			s := newStage(t)
			s.mustBring("1.0.0", components("1"))
			served := s.serving
			var n atomic.Int32
			s.node.SetFault(func(method, _ string) error {
				if method != "list" && int(n.Add(1)) > at {
					return killed // from here on the process is no more
				}
				return nil
			})
			_ = s.bring(t.Context(), "2.0.0", next())
			s.node.SetFault(nil)
			committed := s.serving != served
			observed, err := s.driver.List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.runner.Settle(t.Context(), rollout.SettleInput{
				Deployment: deployment, Serving: *s.serving, Wanted: s.serving.Components, Levels: [][]string{{"db"}, {"api"}},
				Observed: observed, Strategy: s.strategy,
				Unproven: func(i node.Instance) bool { return i.Labels.Revision == 2 && !committed },
			})
			if err != nil {
				t.Fatal(err)
			}
			if !committed {
				s.runs("api-1-1", "db-1-1")
			}
			s.mustBring("2.0.0", next())
			for _, i := range s.node.All() {
				if i.Labels.ConfigHash != s.serving.Components[i.Labels.Component].ConfigHash {
					t.Errorf("orphan %s", i.Key.Name)
				}
			}
			if len(s.node.All()) != 2 {
				t.Errorf("on the node: %v", s.node.All())
			}
		}))
	}
}

package rollout_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/fake"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/steady"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
)

// leaver is a node that goes away at a call and comes back after a while.
type leaver struct {
	node.Driver
	call  string // as "create db-2-1"
	stays time.Duration
	left  time.Time
}

func (l *leaver) fault(method, name string) error {
	if l.left.IsZero() && method+" "+name == l.call {
		l.left = time.Now()
	}
	if l.left.IsZero() || time.Since(l.left) >= l.stays {
		return nil
	}
	return &engine.Error{Class: node.ErrUnreachable, Reason: "nobody is there"}
}

func (l *leaver) Info(ctx context.Context) (node.Info, error) {
	if err := l.fault("info", ""); err != nil {
		return node.Info{}, err
	}
	return l.Driver.Info(ctx)
}

func (l *leaver) Inspect(ctx context.Context, key node.Key) (node.Instance, error) {
	if err := l.fault("inspect", key.Name); err != nil {
		return node.Instance{}, err
	}
	return l.Driver.Inspect(ctx, key)
}

// leaves lets the stage's node go away; what is asked of it waits for it.
func (s *stage) leaves(call string, stays time.Duration) {
	l := &leaver{Driver: s.driver, call: call, stays: stays}
	s.node.SetFault(l.fault)
	s.runner.Driver = steady.New(l, steady.Options{Node: "acme/there"}).Patient(s.strategy.ProgressDeadline)
}

// next has a new db, which is replaced stop-first, and a new api.
func next() map[string]engine.Component {
	return with(components("2"), "db", func(c *engine.Component) { c.Env = map[string]string{"NEW": "1"} })
}

func TestNodeThatIsAwayIsWaitedFor(t *testing.T) {
	const deadline = time.Minute
	for name, test := range map[string]struct {
		call     string
		stays    time.Duration
		deadline time.Duration // 0 = a minute
		cancel   time.Duration // after that long, 0 = never
		fails    bool
		restored string
		took     time.Duration // about
		serves   bool          // the old revision, wholly
	}{
		"back in time":                {call: "create db-2-1", stays: 50 * time.Second},
		"back late":                   {call: "create db-2-1", stays: 90 * time.Second, fails: true, restored: "version 1.0.0 was started again and serves", took: 90 * time.Second, serves: true},
		"back too late":               {call: "create db-2-1", stays: time.Hour, fails: true, restored: "its instances db-1-1 were stopped to make room and could not be started again", took: 2 * deadline},
		"back late, while checked":    {call: "inspect db-2-1", stays: 90 * time.Second, fails: true, restored: "version 1.0.0 was started again and serves", took: 90 * time.Second, serves: true},
		"long deadline, back late":    {call: "create db-2-1", deadline: time.Hour, stays: 64 * time.Minute, fails: true, restored: "was started again", took: 64 * time.Minute, serves: true},
		"long deadline, too late":     {call: "create db-2-1", deadline: time.Hour, stays: 66 * time.Minute, fails: true, restored: "could not be started again", took: 65 * time.Minute},
		"cancelled while it waits":    {call: "create db-2-1", stays: time.Hour, cancel: 80 * time.Second, fails: true, restored: "could not be started again", took: 80 * time.Second},
		"cancelled, back in a moment": {call: "create db-2-1", stays: 20 * time.Second, cancel: 5 * time.Second, fails: true, restored: "was started again", took: 20 * time.Second, serves: true},
		"cancelled, stays away":       {call: "create db-2-1", stays: time.Hour, cancel: 5 * time.Second, fails: true, restored: "could not be started again", took: 35 * time.Second},
	} {
		t.Run(name, inFakeTime(func(t *testing.T) {
			s := newStage(t)
			s.mustBring("1.0.0", components("1"))
			s.strategy.ProgressDeadline = deadline
			if test.deadline > 0 {
				s.strategy.ProgressDeadline = test.deadline
			}
			s.leaves(test.call, test.stays)
			ctx, began := t.Context(), time.Now()
			if test.cancel > 0 {
				cancelled, cancel := context.WithCancel(ctx)
				time.AfterFunc(test.cancel, cancel)
				ctx = cancelled
			}
			err := s.bring(ctx, "2.0.0", next())
			if !test.fails {
				if err != nil {
					t.Fatal(err)
				}
				s.runs("api-2-1", "db-2-1")
				return
			}
			var failure *engine.RolloutError
			if !errors.As(err, &failure) || !strings.Contains(failure.Restored, test.restored) {
				t.Fatalf("error is %v", err)
			}
			if took := time.Since(began); took < test.took || took > test.took+5*time.Second {
				t.Errorf("it took %s, want about %s", took, test.took)
			}
			s.node.SetFault(nil)
			if test.serves {
				s.runs("api-1-1", "db-1-1")
			}
			s.goesOn()
		}))
	}
}

// goesOn demands that the next run starts what is missing and brings the new version.
func (s *stage) goesOn() {
	s.t.Helper()
	s.runner.Driver = s.driver
	observed, err := s.driver.List(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	_, err = s.runner.Settle(s.t.Context(), rollout.SettleInput{
		Deployment: deployment, Serving: *s.serving, Wanted: s.serving.Components, Levels: [][]string{{"db"}, {"api"}},
		Observed: observed, Strategy: s.strategy, Unproven: func(i node.Instance) bool { return i.Labels.Revision > 1 },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.runs("api-1-1", "db-1-1")
	s.mustBring("2.0.0", next())
	s.runs("api-3-1", "db-3-1")
}

// A node that goes away while the old revision is put back is waited for too, and
// what is in the old one's way goes first.
func TestNodeGoesAwayWhileItIsPutBack(t *testing.T) {
	for _, call := range []string{"stop db-2-1", "remove db-2-1", "start db-1-1", "route " + deployment} {
		t.Run(call, inFakeTime(func(t *testing.T) {
			s := newStage(t)
			s.mustBring("1.0.0", components("1"))
			s.strategy.ProgressDeadline = time.Minute
			putsBack := false
			l := &leaver{Driver: s.driver, stays: 90 * time.Second}
			s.runner.Driver = steady.New(l, steady.Options{}).Patient(time.Minute)
			s.node.SetFault(func(method, name string) error {
				if putsBack = putsBack || method+" "+name == "stop db-2-1"; putsBack {
					l.call = call
				}
				return l.fault(method, name)
			})
			var failure *engine.RolloutError
			err := s.bring(t.Context(), "2.0.0", with(components("1"), "db", behave(fake.Exits)))
			if !errors.As(err, &failure) || !strings.Contains(failure.Restored, "was started again and serves") {
				t.Fatalf("error is %v", err)
			}
			if l.left.IsZero() {
				t.Error("the node did not go away")
			}
			s.runs("api-1-1", "db-1-1")
		}))
	}
}

// One that answers, and fails all the same, is given up.
func TestNodeFailsWhileItIsPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.mustBring("1.0.0", components("1"))
		asked := 0
		s.node.SetFault(func(method, name string) error {
			if method != "start" || name != "db-1-1" {
				return nil
			}
			asked++
			return &engine.Error{Class: node.ErrInternal, Reason: "database not open"}
		})
		var failure *engine.RolloutError
		err := s.bring(t.Context(), "2.0.0", with(components("1"), "db", behave(fake.Exits)))
		if !errors.As(err, &failure) || !strings.Contains(failure.Restored, "could not be restored completely") || !failure.Leftover {
			t.Fatalf("error is %v", err)
		}
		if asked != 3 {
			t.Errorf("it was tried %d times", asked)
		}
	})
}

// Nothing old starts while what took its place may still run.
func TestOldStaysDownWhileTheNewCannotBeEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.mustBring("1.0.0", components("1"))
		s.node.SetFault(func(method, name string) error {
			if name == "db-2-1" && (method == "stop" || method == "remove") {
				return errors.New("it does not listen")
			}
			return nil
		})
		var failure *engine.RolloutError
		err := s.bring(t.Context(), "2.0.0", with(components("1"), "db", behave(fake.Sick)))
		if !errors.As(err, &failure) || !strings.Contains(failure.Restored, "could not be restored completely") || !strings.Contains(failure.Restored, "db-2-1 still runs") {
			t.Fatalf("error is %v", err)
		}
	})
}

// Where nothing was stopped nothing is waited for longer: the old instances serve
// as soon as the node is back.
func TestNodeThatIsAwayIsNotWaitedForWithoutNeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.mustBring("1.0.0", components("1"))
		s.strategy.ProgressDeadline = time.Minute
		s.leaves("create api-2-1", time.Hour)
		began := time.Now()
		var failure *engine.RolloutError
		if err := s.bring(t.Context(), "2.0.0", components("2")); !errors.As(err, &failure) || !strings.Contains(failure.Restored, "none of its instances was stopped") {
			t.Fatalf("error is %v", err)
		}
		if took := time.Since(began); took > time.Minute+time.Second {
			t.Errorf("it took %s", took)
		}
		s.node.SetFault(nil)
		s.goesOn()
	})
}

package core_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/fake"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// atStep does something before a journaled step runs, and fails it when that fails.
type atStep struct {
	next core.Journal
	is   func(rollout.Step) bool
	do   func() error
}

func (j atStep) Begin(ctx context.Context, s rollout.Step) (func(error), error) {
	if j.is(s) {
		if err := j.do(); err != nil {
			return nil, err
		}
	}
	return j.next.Begin(ctx, s)
}

// killWhen runs do in an engine that dies at the first step that is meant, and
// opens a new one.
func (s *scene) killWhen(is func(rollout.Step) bool, do func()) {
	s.Helper()
	dead := false
	s.journal = func(next core.Journal) core.Journal {
		return atStep{next, func(x rollout.Step) bool { return dead || is(x) }, func() error {
			dead = true
			s.node.SetFault(func(string, string) error { return errKilled })
			_ = s.engine.Close()
			return errKilled
		}}
	}
	s.open()
	do()
	s.node.SetFault(nil)
	s.journal = nil
	s.open()
	if !dead {
		s.Fatal("it was not killed")
	}
}

func step(name, component string) func(rollout.Step) bool {
	return func(s rollout.Step) bool { return s.Name == name && s.Component == component }
}

// settleScene has versions 1.0.0 and 2.0.0 that differ in db, which stops
// first, and 3.0.0, whose db exits; 1.0.0 serves.
func settleScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{T: t, dir: t.TempDir(), node: fake.New(), alive: func(store.LeaseOwner) bool { return false }}
	s.oneWriter()
	s.shareRegistry()
	s.open()
	s.furnish()
	s.dbVersion("1.0.0", map[string]string{"V": "1"})
	s.dbVersion("2.0.0", map[string]string{"V": "2"})
	s.dbVersion("3.0.0", map[string]string{fake.BehaviourVariable: fake.Exits})
	_, err := s.create("acme/shop/1.0.0")
	s.must(err)
	return s
}

func (s *scene) dbVersion(name string, env map[string]string) {
	s.Helper()
	v := s.wanted(name, "1", nil)
	c := v.Components["db"]
	c.Env = env
	v.Components["db"] = c
	_, err := s.engine.CreateVersion(s.Context(), v)
	s.must(err)
}

// serves demands that db's traffic leads to exactly this instance, which runs,
// and that a refresh finds nothing amiss.
func (s *scene) serves(db string) {
	s.Helper()
	if routed := s.node.Routed(id, "db"); !slices.Equal(routed, []string{db}) || !slices.Contains(s.running(), db) {
		s.Errorf("traffic of db goes to %v, running %v, want %s", routed, s.running(), db)
	}
	s.engine.BeginRun("refresh")
	d, err := s.engine.Deployment(s.Context(), id)
	s.must(err)
	if len(d.Observed.Drift) > 0 || d.Observed.Health != engine.HealthHealthy {
		s.Errorf("health %s, drift %q", d.Observed.Health, d.Observed.Drift)
	}
}

func TestLeftoverOfAKilledUpgradeNeverComesBack(t *testing.T) {
	s := settleScene(t)
	s.killWhen(step("remove", "db"), func() { _, _ = s.update("acme/shop/2.0.0") })
	if _, err := s.update("acme/shop/3.0.0"); err == nil {
		t.Fatal("3.0.0 came up")
	}
	s.serves("db-2-1")
	s.wantRunning("api-1-1", "db-2-1")
}

func TestLeftoverOfAKilledRepairGoes(t *testing.T) {
	s := settleScene(t)
	key := node.Key{Deployment: id, Name: "db-1-1"}
	s.node.Alter(key, func(i *node.Instance) { i.State, i.Altered = node.Restarting, []string{"image is evil:1"} })
	s.killWhen(step("remove", "db"), func() { _, _ = s.update("acme/shop/1.0.0") })
	s.node.Alter(key, func(i *node.Instance) { i.Altered = nil })
	_, err := s.update("acme/shop/1.0.0")
	s.must(err)
	s.serves("db-2-1")
	s.wantRunning("api-1-1", "db-2-1")
}

func TestTrafficThatWasLostIsSeenAndLedBack(t *testing.T) {
	cut := map[string]func(*scene){
		"killed before it was led back": func(s *scene) {
			s.killWhen(step("route", ""), func() { _, _ = s.update("acme/shop/1.0.0") })
		},
		"cancelled while the old one starts": func(s *scene) {
			ctx, cancel := context.WithCancel(s.Context())
			defer cancel()
			s.node.SetFault(func(method, _ string) error {
				if method == "start" {
					cancel()
				}
				return nil
			})
			d := shop("acme/shop/1.0.0")
			d.Prefix = "shop"
			if _, err := s.engine.UpdateDeployment(ctx, d, nil); err == nil {
				s.Fatal("it was not cancelled")
			}
			s.node.SetFault(nil)
		},
	}
	for name, again := range cut {
		t.Run(name, func(t *testing.T) {
			s := settleScene(t)
			s.killWhen(step("create", "db"), func() { _, _ = s.update("acme/shop/2.0.0") })
			s.T = t
			again(s)
			_, err := s.update("acme/shop/1.0.0")
			s.must(err)
			s.serves("db-1-1")
		})
	}
}

func TestDriftTellsOfLostTraffic(t *testing.T) {
	s := settleScene(t)
	_, err := s.node.Driver("").Route(t.Context(), id, nil)
	s.must(err)
	s.engine.BeginRun("refresh")
	d, err := s.engine.Deployment(t.Context(), id)
	s.must(err)
	want := []string{
		"api: its traffic does not lead to the instances that serve",
		"db: its traffic does not lead to the instances that serve",
	}
	if !slices.Equal(d.Observed.Drift, want) {
		t.Errorf("drift is %q", d.Observed.Drift)
	}
	_, err = s.update("acme/shop/1.0.0")
	s.must(err)
	s.serves("db-1-1")
}

func TestTrafficGoesBackBeforeTheOldAnswers(t *testing.T) {
	s := settleScene(t)
	s.deadline = "2s"
	s.node.SetFault(func(method, name string) error {
		if method == "dial" && name == "db-1-1" {
			return errors.New("still replaying its log")
		}
		return nil
	})
	_, err := s.update("acme/shop/3.0.0")
	s.node.SetFault(nil)
	var failure *engine.RolloutError
	if !errors.As(err, &failure) || !strings.Contains(failure.Restored, "could not be restored completely") {
		t.Fatalf("error is %v", err)
	}
	s.serves("db-1-1")
}

func TestGraceOfTheFailedDoesNotKeepTheOldDown(t *testing.T) {
	s := settleScene(t)
	s.node.SetFault(func(method, name string) error {
		if method == "stop" && name == "db-2-1" {
			return context.DeadlineExceeded // it does not listen
		}
		return nil
	})
	if _, err := s.update("acme/shop/3.0.0"); err == nil {
		t.Fatal("3.0.0 came up")
	}
	s.node.SetFault(nil)
	s.serves("db-1-1")
	s.wantRunning("api-1-1", "db-1-1")
}

// TestWhatAKilledRunStoppedComesBack: also where the next run fails before it
// comes to that component.
func TestWhatAKilledRunStoppedComesBack(t *testing.T) {
	for _, fails := range []string{"pull", "preflight"} {
		t.Run(fails, func(t *testing.T) {
			s := settleScene(t)
			s.killWhen(step("create", "db"), func() { _, _ = s.update("acme/shop/2.0.0") })
			if got := s.running(); !slices.Equal(got, []string{"api-1-1"}) {
				t.Fatalf("%v run: db was not stopped", got)
			}
			s.node.SetFault(func(method, _ string) error {
				if method == fails {
					return errors.New("no more " + fails)
				}
				return nil
			})
			_, err := s.update("acme/shop/3.0.0")
			s.node.SetFault(nil)
			var failure *engine.RolloutError
			if !errors.As(err, &failure) || !strings.Contains(failure.Restored, "version 1.0.0 was started again and serves") {
				t.Fatalf("error is %v, restored %q", err, failure.Restored)
			}
			s.serves("db-1-1")
			s.wantRunning("api-1-1", "db-1-1")
		})
	}
}

func TestSickAfterAStartIsReplaced(t *testing.T) {
	s := settleScene(t)
	s.deadline = "5s"
	s.node.Alter(node.Key{Deployment: id, Name: "db-1-1"}, func(i *node.Instance) { i.State = node.Lost })
	s.node.SetFault(func(method, name string) error {
		if method == "dial" && name == "db-1-1" {
			return errors.New("sick")
		}
		return nil
	})
	_, err := s.update("acme/shop/1.0.0")
	s.must(err)
	s.node.SetFault(nil)
	s.serves("db-2-1")
}

func TestLostLeaseDoesNotForgetAnothersDeployment(t *testing.T) {
	s := &scene{T: t, dir: t.TempDir(), node: fake.New(), alive: func(store.LeaseOwner) bool { return false }}
	s.shareRegistry()
	s.open()
	s.furnish()
	s.version("1.0.0", "1", nil)
	taken := false
	s.journal = func(next core.Journal) core.Journal {
		return atStep{next, func(x rollout.Step) bool { return x.Name == "commit" && !taken }, func() error {
			taken = true
			other := &scene{T: t, dir: s.dir, node: s.node, registry: s.registry, alive: s.alive}
			other.open()
			_, err := other.create("acme/shop/1.0.0")
			return err
		}}
	}
	s.open()
	if _, err := s.create("acme/shop/1.0.0"); err == nil {
		t.Error("the owner that lost its lease succeeded")
	}
	s.journal = nil
	s.open()
	d, err := s.engine.Deployment(t.Context(), id)
	s.must(err)
	if d.Observed.Status != engine.RevisionSuccessful {
		t.Errorf("status is %s", d.Observed.Status)
	}
}

func TestLostKeyDoesNotLockADeployment(t *testing.T) {
	s := newScene(t)
	s.furnish()
	s.version("1.0.0", "1", nil)
	_, err := s.create("acme/shop/1.0.0")
	s.must(err)
	s.must(os.Remove(filepath.Join(s.dir, "encryption.key")))
	s.open()
	env, err := s.engine.Environment(t.Context(), "acme/production")
	s.must(err)
	_, err = s.engine.UpdateEnvironment(t.Context(), env, map[string]string{"TOKEN": "again"})
	s.must(err)
	r, err := s.engine.Registry(t.Context(), "acme/main")
	s.must(err)
	again := password
	_, err = s.engine.UpdateRegistry(t.Context(), r, &again)
	s.must(err)
	d := shop("acme/shop/1.0.0")
	d.Prefix = "shop"
	_, err = s.engine.UpdateDeployment(t.Context(), d, map[string]string{})
	s.must(err)
	if got := s.node.Secrets(node.Key{Deployment: id, Name: "api-2-1"}); got.Env["TOKEN"] != "again" {
		t.Errorf("api has the secrets %v", got.Env)
	}
}

func TestFailedScaleDownGivesTheTrafficBack(t *testing.T) {
	s := newScene(t)
	s.furnish()
	s.version("1.0.0", "1", nil)
	scaled := func(n int) engine.Deployment {
		d := shop("acme/shop/1.0.0")
		d.Prefix = "shop"
		d.Components = map[string]engine.ComponentOverride{"api": {Replicas: &n}}
		return d
	}
	_, err := s.engine.CreateDeployment(t.Context(), scaled(2), nil)
	s.must(err)
	s.journal = func(next core.Journal) core.Journal {
		return atStep{next, step("commit", ""), func() error { return errors.New("disk full") }}
	}
	s.open()
	if _, err = s.engine.UpdateDeployment(t.Context(), scaled(1), nil); err == nil {
		t.Fatal("it succeeded")
	}
	if routed := s.node.Routed(id, "api"); len(routed) != 2 {
		t.Errorf("traffic goes to %v only", routed)
	}
}

func TestKilledFirstDeploymentLeavesNoVolume(t *testing.T) {
	s := &scene{T: t, dir: t.TempDir(), node: fake.New(), alive: func(store.LeaseOwner) bool { return false }}
	s.shareRegistry()
	s.open()
	s.furnish()
	s.version("1.0.0", "1", map[string]string{fake.BehaviourVariable: fake.Exits})
	s.killWhen(step("create", "api"), func() { _, _ = s.create("acme/shop/1.0.0") })
	if _, err := s.create("acme/shop/1.0.0"); err == nil {
		t.Fatal("it came up")
	}
	volumes, err := s.node.Driver("").Volumes(t.Context(), id)
	s.must(err)
	if len(volumes) > 0 {
		t.Errorf("volumes %v are left", volumes)
	}
}

package core_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/fake"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

var errKilled = errors.New("killed")

// killer stops the engine dead at a journaled step: from then on neither its
// store nor its node does anything for it, as for a process that is no more.
type killer struct {
	scene *scene
	next  core.Journal
	at    int32
	seen  *atomic.Int32
	where *atomic.Value
}

func (k killer) Begin(ctx context.Context, s rollout.Step) (func(error), error) {
	if n := k.seen.Add(1); n == k.at {
		k.where.Store(fmt.Sprintf("%s %s", s.Name, s.Detail))
		k.scene.node.SetFault(func(string, string) error { return errKilled })
		_ = k.scene.engine.Close()
		return nil, errKilled
	}
	return k.next.Begin(ctx, s)
}

// Whatever the step an operation is killed at, the next run converges.
func TestKillAtEveryStep(t *testing.T) {
	one, two := map[string]string{"V": "1"}, map[string]string{"V": "2"}
	type act func(*scene) error
	create := act(func(s *scene) error { _, err := s.create("acme/shop/1.0.0"); return err })
	upgrade := act(func(s *scene) error { _, err := s.update("acme/shop/2.0.0"); return err })
	back := act(func(s *scene) error { _, err := s.update("acme/shop/1.0.0"); return err })
	destroy := act(func(s *scene) error { return s.engine.DeleteDeployment(s.Context(), id) })

	cases := []struct {
		name    string
		before  []act
		killed  act
		again   act
		serves  string // VersionName of the serving revision after again, "" = nothing
		badNext bool
	}{
		{"create", nil, create, create, "1.0.0", false},
		{"upgrade", []act{create}, upgrade, upgrade, "2.0.0", false},
		{"upgrade, then stay", []act{create}, upgrade, back, "1.0.0", false},
		{"failed upgrade", []act{create}, upgrade, back, "1.0.0", true},
		{"rollback", []act{create, upgrade}, back, back, "1.0.0", false},
		{"destroy", []act{create}, destroy, destroy, "", false},
	}
	for _, c := range cases {
		for at := int32(1); ; at++ {
			s := &scene{T: t, dir: t.TempDir(), node: fake.New()}
			s.shareRegistry()
			s.alive = func(store.LeaseOwner) bool { return false }
			s.oneWriter()
			s.open()
			s.furnish()
			s.version("1.0.0", "1", one)
			bad := two
			if c.badNext {
				bad = map[string]string{fake.BehaviourVariable: fake.Exits}
			}
			s.version("2.0.0", "2", bad)
			for _, b := range c.before {
				s.must(b(s))
			}
			where := s.killAt(at, func() { _ = c.killed(s) })
			if where == "" {
				break // the operation has fewer steps
			}
			err := c.again(s)
			if c.serves == "" && errors.Is(err, engine.ErrNotFound) {
				err = nil // it was gone already
			}
			if err != nil {
				t.Errorf("%s killed at step %d (%s): the next run failed: %v", c.name, at, where, err)
				continue
			}
			t.Logf("%-20s killed at step %2d %-28s -> %s", c.name, at, where, s.verdict(c.serves))
		}
	}
}

// killAt runs do in an engine that dies at its nth step, and opens a new one.
// It answers the step, "" when do ended before.
func (s *scene) killAt(at int32, do func()) string {
	var seen atomic.Int32
	var where atomic.Value
	s.journal = func(next core.Journal) core.Journal {
		return killer{scene: s, next: next, at: at, seen: &seen, where: &where}
	}
	s.open()
	do()
	s.node.SetFault(nil)
	s.journal = nil
	s.open()
	step, _ := where.Load().(string)
	return step
}

// oneWriter fails the test when two instances write to one volume at once.
func (s *scene) oneWriter() {
	s.node.MayNotOverlap = func(a, b node.Spec) {
		if len(b.Component.Volumes) > 0 {
			s.Errorf("%s and %s write to one volume at once", a.Key.Name, b.Key.Name)
		}
	}
}

// verdict demands that exactly the wanted version runs and serves.
func (s *scene) verdict(version string) string {
	s.Helper()
	d, err := s.engine.Deployment(s.Context(), id)
	if version == "" {
		if !errors.Is(err, engine.ErrNotFound) || len(s.node.All()) > 0 {
			s.Errorf("after destroy: %v, %d instances", err, len(s.node.All()))
		}
		return "nothing"
	}
	s.must(err)
	if len(d.Observed.Drift) > 0 || d.Observed.Health != engine.HealthHealthy {
		s.Errorf("%s: health %s, drift %v", version, d.Observed.Health, d.Observed.Drift)
	}
	names := map[string]bool{}
	for _, i := range s.node.All() {
		if names[i.Labels.Component] || i.State != node.Running {
			s.Errorf("%s: duplicate or stopped %s", version, i.Key.Name)
		}
		names[i.Labels.Component] = true
		if routed := s.node.Routed(id, i.Labels.Component); len(routed) != 1 || routed[0] != i.Key.Name {
			s.Errorf("%s: traffic of %s goes to %v", version, i.Labels.Component, routed)
		}
	}
	if want := "acme/shop/" + version; d.Observed.ServingVersion != want || len(names) != 2 {
		s.Errorf("serves %s with %v, want %s", d.Observed.ServingVersion, names, want)
	}
	return version + " serves"
}

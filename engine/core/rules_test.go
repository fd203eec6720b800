package core_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/core"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/fake"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// during runs check once, in the middle of a rollout.
func (s *scene) during(check func()) {
	s.Helper()
	var once atomic.Bool // images are pulled side by side
	s.journal = func(next core.Journal) core.Journal {
		return atStep{next, func(rollout.Step) bool { return once.CompareAndSwap(false, true) }, func() error {
			check()
			return nil
		}}
	}
	s.open()
	s.Cleanup(func() {
		if !once.Load() {
			s.Error("there was no rollout")
		}
	})
}

func (s *scene) wantRefused(err error, reason string) {
	s.Helper()
	if !errors.Is(err, engine.ErrConflict) || !strings.Contains(err.Error(), reason) {
		s.Errorf("got %v, want a conflict: %s", err, reason)
	}
}

// What is being rolled out is neither edited nor deleted meanwhile: not at plan,
// and not behind the plan's back.
func TestInProgressIsNeitherEditedNorDeleted(t *testing.T) {
	s := newScene(t)
	s.furnish()
	one := s.version("1.0.0", "1", nil)
	other := s.wanted("1.0.0", "1", map[string]string{"LEVEL": "debug"})
	other.ID = one.ID
	s.during(func() {
		ctx := s.Context()
		_, err := s.engine.PlanVersion(ctx, other, engine.Planned{})
		s.wantRefused(err, `version "1.0.0" is being rolled out`)
		_, err = s.engine.UpdateVersion(ctx, other)
		s.wantRefused(err, `version "1.0.0" is being rolled out`)
		s.wantRefused(s.engine.PlanDelete(ctx, engine.KindVersion, one.ID), `version "1.0.0" is being rolled out`)
		s.wantRefused(s.engine.DeleteVersion(ctx, one.ID), `version "1.0.0" is being rolled out`)
		s.wantRefused(s.engine.PlanDelete(ctx, engine.KindDeployment, id), "revision 1 of the deployment "+id+" is being rolled out")
		s.wantRefused(s.engine.DeleteDeployment(ctx, id), "revision 1 of the deployment "+id+" is being rolled out")
		free := s.wanted("1.0.0", "1", nil)
		free.ID, free.Changelog = one.ID, "the first"
		if _, err = s.engine.UpdateVersion(ctx, free); err != nil {
			s.Errorf("the changelog is not free: %v", err)
		}
	})
	_, err := s.create(one.Ref)
	s.must(err)
	_, err = s.engine.PlanVersion(t.Context(), other, engine.Planned{})
	s.wantRefused(err, `version "1.0.0" was sealed by its first successful deployment: its components cannot change`)
	s.must(s.engine.PlanDelete(t.Context(), engine.KindDeployment, id))
	s.must(s.engine.DeleteDeployment(t.Context(), id))
	_, err = s.engine.PlanVersion(t.Context(), other, engine.Planned{})
	s.wantRefused(err, "was sealed") // whatever is deleted later
	s.must(s.engine.PlanDelete(t.Context(), engine.KindDeployment, id))
}

// A rollout whose process was killed is over: nobody has to wait for it.
func TestKilledIsNotInProgress(t *testing.T) {
	s := &scene{T: t, dir: t.TempDir(), node: fake.New(), alive: func(store.LeaseOwner) bool { return false }}
	s.shareRegistry()
	s.open()
	s.furnish()
	one := s.version("1.0.0", "1", nil)
	s.killWhen(step("create", "api"), func() { _, _ = s.create(one.Ref) })
	edited := s.wanted("1.0.0", "1", map[string]string{"LEVEL": "debug"})
	edited.ID = one.ID
	_, err := s.engine.PlanVersion(t.Context(), edited, engine.Planned{})
	s.must(err)
	s.must(s.engine.PlanDelete(t.Context(), engine.KindDeployment, id))
	s.must(s.engine.DeleteDeployment(t.Context(), id))
	s.wantRunning()
	s.must(s.engine.DeleteVersion(t.Context(), one.ID))
}

func TestASimpleProductTakesNoVersion(t *testing.T) {
	s := newScene(t)
	s.furnish()
	ctx := t.Context()
	blog := engine.Product{TeamID: "acme", Name: "blog", Type: engine.ProductSimple, Components: s.wanted("", "1", nil).Components}
	second := s.wanted("1.0.0", "1", nil)
	second.ProductID = "acme/blog"

	planned := func(p engine.Product) engine.Planned {
		_, err := s.engine.PlanProduct(ctx, p, engine.Planned{})
		s.must(err)
		return engine.Planned{Products: map[string]engine.Product{"acme/blog": p}}
	}
	_, err := s.engine.PlanVersion(ctx, second, engine.Planned{})
	s.must(err) // nobody knows the product yet
	_, err = s.engine.PlanVersion(ctx, second, planned(blog))
	s.wantRefused(err, "belongs to a simple product")

	_, err = s.engine.CreateProduct(ctx, blog)
	s.must(err)
	_, err = s.engine.PlanVersion(ctx, second, engine.Planned{})
	s.wantRefused(err, "belongs to a simple product")
	_, err = s.engine.CreateVersion(ctx, second)
	s.wantRefused(err, "belongs to a simple product")

	_, err = s.engine.PlanVersion(ctx, second, planned(engine.Product{TeamID: "acme", Name: "blog", Type: engine.ProductComplex}))
	s.must(err) // the run makes it complex first
}

package core_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
)

// later is the system's clock, put forward by a test.
type later struct {
	health.SystemClock
	by atomic.Int64
}

func (c *later) Now() time.Time { return c.SystemClock.Now().Add(time.Duration(c.by.Load())) }

// stages has production promote from staging.
func stages(t *testing.T, soak string) (*scene, *later) {
	t.Helper()
	s, clock := newScene(t), &later{}
	s.clock = clock
	s.open()
	s.furnish()
	ctx, tokens := t.Context(), map[string]string{"TOKEN": "canary-environment-secret"}
	_, err := s.engine.CreateEnvironment(ctx, engine.Environment{TeamID: "acme", Name: "staging", NodeID: "acme/here", Type: engine.EnvironmentStaging}, tokens)
	s.must(err)
	production, err := s.engine.Environment(ctx, "acme/production")
	s.must(err)
	production.PromotesFromID, production.MinSoak = "acme/staging", soak
	_, err = s.engine.UpdateEnvironment(ctx, production, nil)
	s.must(err)
	return s, clock
}

func inStaging(ref string) engine.Deployment {
	d := shop(ref)
	d.EnvironmentID, d.Prefix = "acme/staging", "try"
	return d
}

func inProduction(ref string) engine.Deployment {
	d := shop(ref)
	d.Prefix = "shop"
	return d
}

func (s *scene) wantPromotion(id, want string) {
	s.Helper()
	d, err := s.engine.Deployment(s.Context(), id)
	s.must(err)
	if d.Observed.Promotion != want {
		s.Errorf("promotion status of %s is %q, want %q", id, d.Observed.Promotion, want)
	}
}

func TestOnlyWhatSucceededInTheSourceEnters(t *testing.T) {
	s, _ := stages(t, "")
	ctx := t.Context()
	one := s.version("1.0.0", "1", nil)
	plan := func(ref string, in engine.PlanInput) error {
		_, err := s.engine.PlanDeployment(ctx, inProduction(ref), in)
		return err
	}
	s.wantRefused(plan(one.Ref, engine.PlanInput{}), "has not succeeded in acme/staging")
	_, err := s.create(one.Ref)
	s.wantRefused(err, "has not succeeded in acme/staging")

	// Known at plan: the run brings staging to it. Another version there does not count, nor one that is stopped.
	planned := func(d engine.Deployment) engine.PlanInput {
		return engine.PlanInput{Planned: engine.Planned{Deployments: map[string]engine.Deployment{"acme/staging/try": d}}}
	}
	s.must(plan(one.Ref, planned(inStaging(one.ID))))
	stopped := inStaging(one.Ref)
	stopped.DesiredState = engine.StateStopped
	s.wantRefused(plan(one.Ref, planned(stopped)), "has not succeeded")
	two := s.version("2.0.0", "2", nil)
	s.wantRefused(plan(one.Ref, planned(inStaging(two.Ref))), "has not succeeded")

	// Without instances nothing is proved.
	stopped.Prefix = "stopped"
	_, err = s.engine.CreateDeployment(ctx, stopped, nil)
	s.must(err)
	_, err = s.create(one.Ref)
	s.wantRefused(err, "has not succeeded")

	_, err = s.engine.CreateDeployment(ctx, inStaging(one.Ref), nil)
	s.must(err)
	_, err = s.create(one.Ref)
	s.must(err)
	s.wantPromotion(id, engine.PromotionInSync)
	s.wantPromotion("acme/staging/try", "")

	s.must(s.engine.DeleteDeployment(ctx, "acme/staging/stopped"))
	_, err = s.engine.UpdateDeployment(ctx, inStaging(two.Ref), nil)
	s.must(err)
	s.wantPromotion(id, engine.PromotionOutOfSync)
	_, err = s.update(two.Ref)
	s.must(err)

	// What ran here comes back without asking, and goes on with other settings,
	// also when staging is gone.
	s.must(s.engine.DeleteDeployment(ctx, "acme/staging/try"))
	s.wantPromotion(id, engine.PromotionOutOfSync)
	d := inProduction(one.Ref)
	d.Variables = engine.SetVariables(map[string]string{"LEVEL": "debug"})
	_, err = s.engine.UpdateDeployment(ctx, d, nil)
	s.must(err)
	s.wantStatuses(engine.RevisionObsolete, engine.RevisionDowngraded, engine.RevisionSuccessful)

	// That it succeeded there once is enough, though its deployment is gone.
	three := s.version("3.0.0", "2", map[string]string{"V": "3"})
	_, err = s.engine.CreateDeployment(ctx, inStaging(three.Ref), nil)
	s.must(err)
	s.must(s.engine.DeleteDeployment(ctx, "acme/staging/try"))
	_, err = s.update(three.Ref)
	s.must(err)
}

func TestMinSoakIsSummedUp(t *testing.T) {
	s, clock := stages(t, "10h")
	ctx := t.Context()
	one, two := s.version("1.0.0", "1", nil), s.version("2.0.0", "2", nil)
	move := func(ref string) {
		t.Helper()
		_, err := s.engine.UpdateDeployment(ctx, inStaging(ref), nil)
		s.must(err)
	}
	pass := func(d time.Duration) { clock.by.Add(int64(d)) }
	enter := func() error { _, err := s.create(one.Ref); return err }

	_, err := s.engine.PlanDeployment(ctx, inProduction(one.Ref), engine.PlanInput{Planned: engine.Planned{
		Deployments: map[string]engine.Deployment{"acme/staging/try": inStaging(one.Ref)},
	}})
	s.wantRefused(err, "only comes to acme/staging in this run")
	_, err = s.engine.CreateDeployment(ctx, inStaging(one.Ref), nil)
	s.must(err)
	s.wantRefused(enter(), "of 10h, the min_soak of acme/production")
	pass(4 * time.Hour)
	move(two.Ref)
	pass(time.Hour) // of the other version
	s.wantRefused(enter(), `version "1.0.0" has served acme/staging for 4h`)
	move(one.Ref)
	pass(3 * time.Hour)
	s.must(s.engine.DeleteDeployment(ctx, "acme/staging/try"))
	pass(time.Hour) // of nothing
	s.wantRefused(enter(), `version "1.0.0" has served acme/staging for 7h`)
	_, err = s.engine.CreateDeployment(ctx, inStaging(one.Ref), nil)
	s.must(err)
	pass(3 * time.Hour)
	_, err = s.engine.PlanDeployment(ctx, inProduction(one.Ref), engine.PlanInput{})
	s.must(err)
	s.must(enter())
	s.wantPromotion(id, engine.PromotionInSync)
}

func TestEnvironmentsPromoteInNoCircle(t *testing.T) {
	s, _ := stages(t, "")
	ctx := t.Context()
	staging, err := s.engine.Environment(ctx, "acme/staging")
	s.must(err)
	staging.PromotesFromID = "acme/production"
	const circle = "in a circle: acme/staging from acme/production from acme/staging"
	s.wantRefused(s.engine.PlanEnvironment(ctx, staging, engine.Planned{}), circle)
	_, err = s.engine.UpdateEnvironment(ctx, staging, nil)
	s.wantRefused(err, circle)

	// Turned round in one run.
	production, err := s.engine.Environment(ctx, "acme/production")
	s.must(err)
	production.PromotesFromID = ""
	s.must(s.engine.PlanEnvironment(ctx, production, engine.Planned{}))
	s.must(s.engine.PlanEnvironment(ctx, staging, engine.Planned{
		Environments: map[string]engine.PlannedEnvironment{production.ID: {Environment: production}},
	}))

	lost := engine.Environment{TeamID: "acme", Name: "lost", NodeID: "acme/here", Type: engine.EnvironmentStaging, PromotesFromID: "acme/nowhere"}
	_, err = s.engine.CreateEnvironment(ctx, lost, nil)
	wantClass(t, err, engine.ErrInvalid)
	lost.PromotesFromID, lost.MinSoak = "", "1h"
	wantClass(t, s.engine.PlanEnvironment(ctx, lost, engine.Planned{}), engine.ErrInvalid)
}

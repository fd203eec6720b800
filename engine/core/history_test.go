package core_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// The past is pruned, and nothing notices: what never changed is not touched,
// what was sealed comes back as the very same or not at all.
func TestPrunedHistory(t *testing.T) {
	s, clock := newScene(t), &later{}
	s.clock, s.history = clock, catalog.History{Revisions: 2, Versions: 2, Operations: 3, OperationsFor: 24 * time.Hour, RetiredFor: 24 * time.Hour}
	s.open()
	s.furnish()
	ctx := t.Context()
	release := func(n int) engine.Version {
		return s.wanted(fmt.Sprintf("%d.0.0", n), "1", map[string]string{"V": fmt.Sprint(n)})
	}
	var made []engine.Version
	for n := 1; n <= 6; n++ {
		v, err := s.engine.CreateVersion(ctx, release(n))
		s.must(err)
		s.must(s.engine.Confirm(ctx, engine.KindVersion, v.ID))
		if n == 1 {
			_, err = s.create(v.Ref)
		} else {
			_, err = s.update(v.Ref)
		}
		s.must(err)
		if n != 2 { // the others go out of Terraform
			s.must(s.engine.DeleteVersion(ctx, v.ID))
		}
		made = append(made, v)
	}
	clock.by.Add(int64(48 * time.Hour))
	_, err := s.update(made[5].Ref) // prunes what was retired after the last rollout
	s.must(err)
	if got, want := slices.Sorted(maps.Keys(s.statuses())), []int{2, 5, 6}; !slices.Equal(got, want) {
		t.Errorf("revisions %v are left, want %v", got, want)
	}
	operations, err := s.engine.Operations(ctx, engine.OperationFilter{DeploymentID: id})
	s.must(err)
	if len(operations) != 4 { // the newest three, and that of revision 2
		t.Errorf("%d operations are left", len(operations))
	}
	s.wantRunning("api-6-1", "db-1-1") // db is still that of revision 1
	s.engine.BeginRun("next")
	d, err := s.engine.Deployment(ctx, id)
	s.must(err)
	if len(d.Observed.Drift) > 0 || d.Observed.Health != engine.HealthHealthy || d.Observed.PreviousVersion != made[4].Ref {
		t.Errorf("drift %v, health %s, before it served %s", d.Observed.Drift, d.Observed.Health, d.Observed.PreviousVersion)
	}

	// What Terraform has can be gone back to; what it has not, when it is back.
	_, err = s.engine.PlanDeployment(ctx, inProduction(made[0].Ref), engine.PlanInput{})
	wantClass(t, err, engine.ErrNotFound)
	other := release(1)
	other.Components["api"].Env["V"] = "other"
	_, err = s.engine.PlanVersion(ctx, other, engine.Planned{})
	s.wantRefused(err, `version "1.0.0" was sealed`)
	_, err = s.engine.CreateVersion(ctx, other)
	s.wantRefused(err, "sealed")
	back, err := s.engine.CreateVersion(ctx, release(1))
	s.must(err)
	if back.Ref != made[0].Ref || back.Number != 1 || !back.Sealed || !maps.Equal(back.Images, made[0].Images) || len(back.Components) != 2 {
		t.Errorf("back is %+v, was %+v", back, made[0])
	}
	for _, v := range []engine.Version{made[1], back, made[1]} {
		_, err = s.update(v.Ref)
		s.must(err)
	}
	s.wantRunning("api-9-1", "db-1-1")

	// Operations of deployments that are gone go with time.
	s.must(s.engine.DeleteDeployment(ctx, id))
	clock.by.Add(int64(48 * time.Hour))
	_, err = s.engine.CreateDeployment(ctx, another(back.Ref), nil)
	s.must(err)
	operations, err = s.engine.Operations(ctx, engine.OperationFilter{DeploymentID: id})
	s.must(err)
	if len(operations) > 0 {
		t.Errorf("%d operations of the deployment that is gone are left", len(operations))
	}
}

// another is another deployment in production.
func another(ref string) engine.Deployment {
	d := shop(ref)
	d.Prefix = "second"
	return d
}

package store_test

import (
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

func start(t testing.TB, s *store.Store, deploymentID, versionName string) store.Revision {
	t.Helper()
	return must[store.Revision](t)(s.CreateRevision(context.Background(), newRevision(deploymentID, versionName)))
}

func newRevision(deploymentID, versionName string) store.Revision {
	return store.Revision{
		Revision: engine.Revision{
			DeploymentID: deploymentID, VersionRef: "acme/shop/" + versionName + "@sha256:" + versionName, VersionName: versionName, Cause: "update",
		},
		Version: "acme/shop/" + versionName,
	}
}

func deploy(t testing.TB, s *store.Store, deploymentID, versionName string) store.Revision {
	t.Helper()
	r := start(t, s, deploymentID, versionName)
	ok(t, s.CommitRevision(context.Background(), deploymentID, r.Number))
	return r
}

func statuses(t testing.TB, s *store.Store, deploymentID string) string {
	t.Helper()
	var all string
	list := must[[]store.Revision](t)(s.ListRevisionsByDeployment(context.Background(), deploymentID))
	for i := range list {
		r := list[len(list)-1-i]
		all += fmt.Sprintf("%s:%s ", r.VersionName[:1], r.Status)
	}
	return all
}

// TestHistory follows the table of scenarios in design 4.2: forward, back, forward again.
func TestHistory(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	const id = "acme/production/shop"
	must[store.DeploymentRecord](t)(s.CreateDeployment(ctx, deployment("shop")))
	for _, step := range []struct{ version, want, previous string }{
		{"1.0.0", "1:successful ", ""},
		{"2.0.0", "1:obsolete 2:successful ", "1.0.0"},
		{"3.0.0", "1:obsolete 2:obsolete 3:successful ", "2.0.0"},
		{"1.0.0", "1:obsolete 2:downgraded 3:downgraded 1:successful ", "3.0.0"},
		{"3.0.0", "1:obsolete 2:obsolete 3:obsolete 1:obsolete 3:successful ", "1.0.0"},
	} {
		r := deploy(t, s, id, step.version)
		if got := statuses(t, s, id); got != step.want {
			t.Fatalf("after %s: %s, want %s", step.version, got, step.want)
		}
		d := must[store.DeploymentRecord](t)(s.Deployment(ctx, id))
		want := ""
		if step.previous != "" {
			want = "acme/shop/" + step.previous + "@sha256:" + step.previous
		}
		if d.Serving != r.Number || d.Observed.ServingVersion != "acme/shop/"+step.version || d.Observed.PreviousVersion != want {
			t.Errorf("after %s: serving %d %q, previous %q", step.version, d.Serving, d.Observed.ServingVersion, d.Observed.PreviousVersion)
		}
	}
	// A failure changes nothing of what serves.
	r := start(t, s, id, "2.0.0")
	ok(t, s.FinishRevision(ctx, id, r.Number, engine.RevisionFailed, "crashed"))
	ok(t, s.FinishRevision(ctx, id, r.Number, engine.RevisionFailed, "crashed, in other words"))
	d := must[store.DeploymentRecord](t)(s.Deployment(ctx, id))
	if d.Serving != 5 || d.Observed.Revision != 6 || d.Observed.Status != engine.RevisionFailed || d.Observed.ServingVersion != "acme/shop/3.0.0" {
		t.Errorf("after a failure the deployment is %+v", d)
	}
	refused(t, s.CommitRevision(ctx, id, r.Number), engine.ErrConflict, "failed")
	if serving := must[store.Revision](t)(s.ServingRevision(ctx, id)); serving.Number != 5 {
		t.Errorf("a refused commit left revision %d serving", serving.Number)
	}
	ok(t, s.CommitRevision(ctx, id, 5)) // again
	refused(t, s.CommitRevision(ctx, id, 77), engine.ErrNotFound)
}

func TestOneRevisionInProgress(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	const id = "acme/production/shop"
	must[store.DeploymentRecord](t)(s.CreateDeployment(ctx, deployment("shop")))
	r := newRevision(id, "1.0.0")
	r.Status, r.Config, r.Images, r.Changes = engine.RevisionPreparing, []byte{0, 1}, map[string]string{"api": "i"}, []string{"api: create"}
	r = must[store.Revision](t)(s.CreateRevision(ctx, r))
	got := must[store.Revision](t)(s.Revision(ctx, id, 1))
	r.StartedAt = got.StartedAt // read back without the monotonic clock
	same(t, r, got)

	other := start(t, s, id, "2.0.0")
	_, err := s.CreateRevision(ctx, newRevision(id, "3.0.0"))
	refused(t, err, engine.ErrConflict, "revision 2")
	refused(t, s.StartRevision(ctx, id, r.Number), engine.ErrConflict, "revision 2")
	refused(t, s.DeleteDeployment(ctx, id), engine.ErrConflict, "revision 2")
	ok(t, s.StartRevision(ctx, id, other.Number))
	ok(t, s.SetRevisionConfig(ctx, id, 2, []byte("c")))
	ok(t, s.SetRevisionChanges(ctx, id, 2, []string{"api: keep"}))
	refused(t, s.SetRevisionConfig(ctx, id, 9, nil), engine.ErrNotFound)
	if p := must[store.Revision](t)(s.InProgressRevision(ctx, id)); p.Number != 2 || string(p.Config) != "c" || p.Changes[0] != "api: keep" {
		t.Errorf("in progress is %+v", p)
	}
	refused(t, s.FinishRevision(ctx, id, 2, engine.RevisionSuccessful, ""), engine.ErrInvalid)
	ok(t, s.FinishRevision(ctx, id, 2, engine.RevisionFailed, "boom"))
	ok(t, s.StartRevision(ctx, id, 1))
	ok(t, s.CommitRevision(ctx, id, 1))
	refused(t, s.StartRevision(ctx, id, 2), engine.ErrConflict, "failed")
	_, err = s.InProgressRevision(ctx, id)
	refused(t, err, engine.ErrNotFound)
	ok(t, s.DeleteDeployment(ctx, id))
	if list := must[[]store.Revision](t)(s.ListRevisionsByDeployment(ctx, id)); len(list) != 0 {
		t.Errorf("a deleted deployment left %d revisions", len(list))
	}
	_, err = s.ServingRevision(ctx, id)
	refused(t, err, engine.ErrNotFound)
	_, err = s.CreateRevision(ctx, newRevision(id, "1.0.0"))
	refused(t, err, engine.ErrInvalid, "deployment_id")
}

// TestRevisionsProperty: whatever happens, at most one revision serves, it is
// the last that was committed, and its place tells every other status.
func TestRevisionsProperty(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	shop(t, s)
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		d := deployment(fmt.Sprintf("p%d", run))
		must[store.DeploymentRecord](t)(s.CreateDeployment(ctx, d))
		serving, number := "", 0
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			v := rapid.SampledFrom([]string{"1.0.0", "2.0.0", "3.0.0"}).Draw(rt, "version")
			r := start(t, s, d.ID, v)
			if rapid.Bool().Draw(rt, "good") {
				ok(t, s.CommitRevision(ctx, d.ID, r.Number))
				serving, number = v, r.Number
			} else {
				ok(t, s.FinishRevision(ctx, d.ID, r.Number, engine.RevisionFailed, "bad"))
			}
		}
		for _, r := range must[[]store.Revision](t)(s.ListRevisionsByDeployment(ctx, d.ID)) {
			want := engine.RevisionObsolete
			switch {
			case r.Number == number:
				want = engine.RevisionSuccessful
			case r.Status == engine.RevisionFailed:
				want = engine.RevisionFailed
			case r.VersionName > serving:
				want = engine.RevisionDowngraded
			}
			if r.Status != want || r.FinishedAt.IsZero() {
				rt.Fatalf("revision %d of %s is %s while %d of %s serves, want %s", r.Number, r.VersionName, r.Status, number, serving, want)
			}
		}
	})
}

package core_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/fake"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// databaseScene has three versions, the last of which fails. Each migrates the data
// of the database when it starts; the database is the same in all of them.
func databaseScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{T: t, dir: t.TempDir(), node: fake.New()}
	s.shareRegistry()
	s.alive = func(store.LeaseOwner) bool { return false }
	s.oneWriter()
	s.open()
	s.furnish()
	for n, bad := range []string{"", "", fake.Exits} {
		s.keepingVersion(fmt.Sprintf("%d.0.0", n+1), map[string]string{fake.WritesVariable: fmt.Sprintf("db/data by%d", n+1), fake.BehaviourVariable: bad})
	}
	return s
}

// keepingVersion makes a version whose database has snapshots.
func (s *scene) keepingVersion(name string, env map[string]string) {
	s.Helper()
	_, err := s.engine.CreateVersion(s.Context(), s.keeping(name, env, nil))
	s.must(err)
}

func (s *scene) keeping(name string, env map[string]string, before *engine.PreSnapshot) engine.Version {
	v := s.wanted(name, "1", env)
	db := v.Components["db"]
	db.Volumes = map[string]engine.Volume{"data": {Path: "/data", Snapshot: "on_upgrade", PreSnapshot: before}}
	v.Components["db"] = db
	return v
}

// restoring updates the deployment to a version and takes data along, or not.
func (s *scene) restoring(version string, with bool) error {
	d := shop("acme/shop/" + version)
	d.Prefix, d.RestoreData = "shop", with
	_, err := s.engine.UpdateDeployment(s.Context(), d, nil)
	return err
}

func (s *scene) holds(want string) {
	s.Helper()
	if got := s.node.Content(id, "db/data"); got != want {
		s.Errorf("the data is %q, want %q", got, want)
	}
}

func (s *scene) kept() []string {
	all := slices.Collect(maps.Values(s.node.Snapshots()))
	slices.Sort(all)
	return all
}

// An upgrade keeps the data as it was, a way back restores it when it is asked to.
func TestDataGoesBackWithItsVersion(t *testing.T) {
	s := databaseScene(t)
	_, err := s.create("acme/shop/1.0.0")
	s.must(err)
	s.holds(" by1")
	s.must(s.restoring("2.0.0", true))
	s.holds(" by1 by2")
	s.must(s.restoring("1.0.0", false)) // data stays
	s.holds(" by1 by2 by1")
	s.must(s.restoring("2.0.0", true))
	s.holds(" by1 by2 by1 by2")

	d := shop("acme/shop/1.0.0")
	d.RestoreData = true
	p, err := s.engine.PlanDeployment(s.Context(), d, engine.PlanInput{Prior: &d})
	s.must(err)
	if text := strings.Join(p.Changes, "\n"); !strings.Contains(text, "db: keep\ndb: restore volume data as version 1.0.0 left it at ") ||
		!strings.Contains(text, "api: replace 1 instance, stop-first, the data of db is restored: a gap is expected") {
		t.Errorf("the plan says\n%s", text)
	}
	s.must(s.restoring("1.0.0", true))
	s.holds(" by1 by2 by1")
	if kept := s.kept(); !slices.Contains(kept, " by1 by2 by1 by2") { // what was given up
		t.Errorf("kept are %q", kept)
	}
	s.wantRunning("api-5-1", "db-1-1")
	revisions, err := s.engine.Revisions(s.Context(), id)
	s.must(err)
	if got := revisions[1].Snapshots; len(got) != 1 || got[0].Volume != "db/data" || got[0].Bytes != int64(len(" by1 by2 by1 by2")) {
		t.Errorf("revision %d has the snapshots %+v", revisions[1].Number, got)
	}
	s.must(s.engine.DeleteDeployment(s.Context(), id))
	if kept := s.kept(); len(kept) > 0 {
		t.Errorf("left are %q", kept)
	}
}

// A failed upgrade leaves the data as it found it when it is asked to.
func TestFailedUpgradeAndItsData(t *testing.T) {
	for with, want := range map[bool]string{true: " by1", false: " by1 by3"} {
		s := databaseScene(t)
		_, err := s.create("acme/shop/1.0.0")
		s.must(err)
		wantRollout(t, s.restoring("3.0.0", with))
		s.holds(want)
		s.wantRunning("api-1-1", "db-1-1")
		if kept := s.kept(); with && !slices.Equal(kept, []string{" by1", " by1 by3"}) {
			t.Errorf("kept are %q", kept)
		}
	}
}

// What there is no snapshot of is refused at plan, and nothing is touched.
func TestNoSnapshotToGoBackTo(t *testing.T) {
	s := databaseScene(t)
	_, err := s.create("acme/shop/2.0.0")
	s.must(err)
	d := shop("acme/shop/1.0.0")
	d.Prefix, d.RestoreData = "shop", true
	_, err = s.engine.PlanDeployment(s.Context(), d, engine.PlanInput{Prior: &d})
	wantClass(t, err, engine.ErrConflict)
	if known := engine.All(err); len(known) != 1 || known[0].Field != "restore_data" {
		t.Errorf("%+v", known)
	}
	s.node.Calls()
	wantClass(t, s.restoring("1.0.0", true), engine.ErrConflict)
	for _, call := range s.node.Calls() {
		if strings.HasPrefix(call, "stop") || strings.HasPrefix(call, "create") {
			t.Errorf("%s was done", call)
		}
	}
}

// A snapshot that somebody removed on the node is missed before anything is touched.
func TestSnapshotGoneFromTheNode(t *testing.T) {
	s := databaseScene(t)
	_, err := s.create("acme/shop/1.0.0")
	s.must(err)
	s.must(s.restoring("2.0.0", false))
	s.must(s.node.Driver("").PruneSnapshots(s.Context(), id, nil))
	s.node.Calls()
	wantRollout(t, s.restoring("1.0.0", true))
	for _, call := range s.node.Calls() {
		if strings.HasPrefix(call, "stop") {
			t.Errorf("%s was done", call)
		}
	}
	s.holds(" by1 by2")
}

// Only as many snapshots stay as are asked for.
func TestSnapshotsArePruned(t *testing.T) {
	s := databaseScene(t)
	_, err := s.create("acme/shop/1.0.0")
	s.must(err)
	for range 3 {
		s.must(s.restoring("2.0.0", true))
		s.must(s.restoring("1.0.0", true))
	}
	if kept := s.kept(); len(kept) != engine.DefaultKeepSnapshots {
		t.Errorf("kept are %q", kept)
	}
	for range 5 {
		wantRollout(t, s.restoring("3.0.0", true))
	}
	if kept := s.kept(); len(kept) != 2*engine.DefaultKeepSnapshots {
		t.Errorf("kept are %q", kept)
	}
	s.must(s.restoring("2.0.0", true))
	s.must(s.restoring("1.0.0", true)) // of what is kept one can go back to
}

func wantRollout(t *testing.T, err error) {
	t.Helper()
	var failed *engine.RolloutError
	if !errors.As(err, &failed) {
		t.Fatalf("error is %v, want a failed rollout", err)
	}
}

// Whatever the step an operation on data is killed at, the next run converges, and
// the data is that of what serves.
func TestKillAtEveryStepOfData(t *testing.T) {
	type act func(*scene) error
	to := func(version string, with bool) act {
		return func(s *scene) error { return s.restoring(version, with) }
	}
	for _, c := range []struct {
		name          string
		before        []act
		killed, again act
		serves        string
		data          string // in the volume in the end
	}{
		{"upgrade, then stay", nil, to("2.0.0", true), to("1.0.0", true), "1.0.0", " by1"},
		{"failing upgrade", nil, to("3.0.0", true), to("1.0.0", true), "1.0.0", " by1"},
		{"rollback, then stay", []act{to("2.0.0", true)}, to("1.0.0", true), to("2.0.0", true), "2.0.0", " by1 by2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for at := int32(2); ; at++ { // the first step pulls, as for every rollout
				s := databaseScene(t)
				_, err := s.create("acme/shop/1.0.0")
				s.must(err)
				for _, b := range c.before {
					s.must(b(s))
				}
				where := s.killAt(at, func() { _ = c.killed(s) })
				if where == "" {
					break
				}
				if err := c.again(s); err != nil {
					t.Errorf("killed at step %d (%s): the next run failed: %v", at, where, err)
					continue
				}
				s.holds(c.data)
				t.Logf("killed at step %2d %-32.32s -> %s, data%s", at, where, s.verdict(c.serves), c.data)
			}
		})
	}
}

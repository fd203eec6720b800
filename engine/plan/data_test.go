package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

const (
	one = "acme/shop/1.0.0@sha256:1"
	two = "acme/shop/2.0.0@sha256:2"
)

func keeping(snapshot string) map[string]engine.Volume {
	return map[string]engine.Volume{"data": {Path: "/data", Snapshot: snapshot}, "cache": {Path: "/cache"}}
}

func TestDataOf(t *testing.T) {
	plain := effective(t, map[string]component{"db": {Image: "a", Volumes: keeping("")}, "api": {Image: "a", DependsOn: []string{"db"}}}, catalog.MergeInput{})
	kept := effective(t, map[string]component{"db": {Image: "a", Volumes: keeping("on_upgrade")}, "api": {Image: "b", DependsOn: []string{"db"}}}, catalog.MergeInput{})
	without := effective(t, map[string]component{"api": {Image: "c"}}, catalog.MergeInput{})
	revisions := []engine.Revision{
		{Number: 1, VersionRef: one, VersionName: "1.0.0", Status: engine.RevisionObsolete},
		{Number: 2, VersionRef: two, VersionName: "2.0.0", Status: engine.RevisionObsolete},
		{Number: 3, VersionRef: one, VersionName: "1.0.0", Status: engine.RevisionObsolete},
		{Number: 4, VersionRef: one, VersionName: "1.0.0", Status: engine.RevisionFailed},
		{Number: 5, VersionRef: two, VersionName: "2.0.0", Status: engine.RevisionSuccessful},
	}
	snapshots := []engine.Snapshot{
		{Volume: "db/data", Name: "oldest", Revision: 1, Attempt: 2}, {Volume: "db/data", Name: "newest", Revision: 3, Attempt: 5},
		{Volume: "db/data", Name: "other", Revision: 2, Attempt: 6}, {Volume: "db/data", Name: "left", Revision: 4, Attempt: 7}, {Volume: "db/cache", Name: "x", Revision: 3, Attempt: 8},
	}
	for name, test := range map[string]struct {
		move Move
		want string // component/volume, with @ and the snapshot that is restored
		err  string
	}{
		"first deployment":         {Move{Desired: kept, To: one}, "", ""},
		"upgrade":                  {Move{Prior: kept, Desired: plain, From: one, To: two}, "db/data", ""},
		"declared by the new one":  {Move{Prior: plain, Desired: kept, From: one, To: two}, "db/data", ""},
		"declared by none":         {Move{Prior: plain, Desired: without, From: one, To: two}, "", ""},
		"component removed":        {Move{Prior: kept, Desired: without, From: one, To: two}, "db/data", ""},
		"component is new":         {Move{Prior: without, Desired: kept, From: one, To: two}, "", ""},
		"same version":             {Move{Prior: plain, Desired: kept, From: one, To: one, RestoreData: true}, "", ""},
		"nothing new starts":       {Move{Prior: kept, Desired: kept, From: one, To: two}, "", ""},
		"back without data":        {Move{Prior: kept, Desired: plain, From: two, To: one, Back: true}, "", ""},
		"back with data":           {Move{Prior: kept, Desired: plain, From: two, To: one, Back: true, RestoreData: true}, "db/data@newest", ""},
		"back, and no data there":  {Move{Prior: kept, Desired: without, From: two, To: one, Back: true, RestoreData: true}, "", ""},
		"back to what nobody kept": {Move{Prior: kept, Desired: plain, From: two, To: "acme/shop/0.9.0@sha256:0", Back: true, RestoreData: true}, "", "no snapshot of volume db/data as version 0.9.0 left it"},
	} {
		test.move.Revisions, test.move.Snapshots = revisions, snapshots
		data, err := DataOf(test.move)
		var got []string
		for _, d := range data {
			text := d.Full()
			if d.Restore != nil {
				text += "@" + d.Restore.Name
			}
			got = append(got, text)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
		if (err != nil) != (test.err != "") || err != nil && (!errors.Is(err, engine.ErrConflict) || !strings.Contains(err.Error(), test.err)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// While data is restored nothing that goes and works on it runs, and what stays only
// pauses when the data is its own.
func TestWhatDataStops(t *testing.T) {
	several := engine.Volume{Path: "/data", SingleWriter: ptr(false), Snapshot: "on_upgrade"}
	configuration := func(image string) map[string]catalog.Effective {
		return effective(t, map[string]component{
			"db":   {Image: "a", Volumes: keeping("on_upgrade")},
			"pool": {Image: image, Volumes: map[string]engine.Volume{"data": several}},
			"api":  {Image: image, DependsOn: []string{"db"}},
			"web":  {Image: image, DependsOn: []string{"api"}},
			"side": {Image: image},
		}, catalog.MergeInput{})
	}
	prior, desired := configuration("a"), configuration("b")
	traits := Traits{StartFirstPorts: true, Data: []Data{{Component: "db", Volume: "data"}, {Component: "pool", Volume: "data"}}}
	want := []string{
		"api: replace 1 instance, start-first (image sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb)",
		"db: keep",
		"db: snapshot volume data before the upgrade, stopped meanwhile: a gap is expected",
		"pool: replace 1 instance, start-first (image sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb)",
		"pool: snapshot volume data before the upgrade, stopped meanwhile: a gap is expected",
		"side: replace 1 instance, start-first (image sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb)",
		"web: replace 1 instance, start-first (image sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb)",
	}
	same(t, Changes(prior, desired, traits), want)
	same(t, Gaps(prior, desired, traits), []string{"db: it stops while volume data is copied: a gap is expected.", "pool: it stops while volume data is copied: a gap is expected."})

	at := &engine.Snapshot{TakenAt: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)}
	traits.Data = []Data{{Component: "db", Volume: "data", Restore: at, Version: "1.0.0"}}
	want[0] = "api: replace 1 instance, stop-first, the data of db is restored: a gap is expected (image sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb)"
	want[2] = "db: restore volume data as version 1.0.0 left it at 2026-01-02T03:04:05Z, and keep a snapshot of what it holds now, stopped meanwhile: a gap is expected"
	want[6] = "web: replace 1 instance, stop-first, the data of db is restored: a gap is expected (image sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb)"
	same(t, Changes(prior, desired, traits), slices.Delete(want, 4, 5))
	var observed []Instance
	for name, c := range prior {
		observed = append(observed, Instance{Name: name + "-1-1", Component: name, Revision: 1, Ordinal: 1, ConfigHash: c.ConfigHash, Usable: true})
	}
	for _, s := range Make(prior, Desired{Components: desired}, observed, traits).Steps {
		stops := s.Component == "db" || s.Component == "api" || s.Component == "web"
		if s.Restoring != stops || s.Restoring && s.StartFirst {
			t.Errorf("%+v", s)
		}
	}
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Pruning keeps what a volume is to be set back to, and of every volume the newest
// that one could go back to; no more than was asked for of either kind.
func TestKeptSnapshots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var revisions []engine.Revision
		statuses := []engine.RevisionStatus{engine.RevisionObsolete, engine.RevisionDowngraded, engine.RevisionFailed}
		count := rapid.IntRange(1, 12).Draw(t, "revisions")
		for number := 1; number <= count; number++ {
			revisions = append(revisions, engine.Revision{Number: number, Status: rapid.SampledFrom(statuses).Draw(t, "status")})
		}
		useful := func(s engine.Snapshot) bool {
			return revisions[s.Revision-1].Status != engine.RevisionFailed && revisions[s.Attempt-1].Status != engine.RevisionFailed
		}
		var all []engine.Snapshot
		for n := range rapid.IntRange(0, 20).Draw(t, "snapshots") {
			attempt := rapid.IntRange(1, count).Draw(t, "attempt")
			all = append(all, engine.Snapshot{
				Volume: rapid.SampledFrom([]string{"a/x", "b/x"}).Draw(t, "volume"), Name: fmt.Sprint(n),
				Revision: rapid.IntRange(1, attempt).Draw(t, "revision"), Attempt: attempt,
			})
		}
		isDue := rapid.SliceOfN(rapid.Bool(), len(all), len(all)).Draw(t, "due")
		due := func(s engine.Snapshot) bool { return isDue[slices.Index(all, s)] }
		keep := rapid.IntRange(1, 4).Draw(t, "keep")
		kept := KeptSnapshots(all, due, revisions, keep)
		for _, s := range all {
			newer := 0
			for _, other := range all {
				if other.Volume == s.Volume && useful(other) == useful(s) && other.Attempt > s.Attempt {
					newer++
				}
			}
			if stays := slices.Contains(kept, s); due(s) && !stays || stays && !due(s) && newer >= keep {
				t.Fatalf("%+v: kept %v, %d newer ones, due %v", s, stays, newer, due(s))
			}
		}
		for _, volume := range []string{"a/x", "b/x"} {
			of := func(list []engine.Snapshot) (n int) {
				for _, s := range list {
					if s.Volume == volume && useful(s) {
						n++
					}
				}
				return n
			}
			if of(kept) < min(keep, of(all)) {
				t.Fatalf("%d of %d snapshots of %s to go back to are kept, want %d", of(kept), of(all), volume, keep)
			}
		}
	})
}

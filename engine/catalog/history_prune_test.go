package catalog

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Whatever the history, what a rollback could need stays, and what is left is
// bounded by what Terraform has.
func TestNothingThatARollbackNeedsIsExpendable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := History{Revisions: rapid.IntRange(1, 6).Draw(t, "revisions"), Versions: rapid.IntRange(2, 4).Draw(t, "versions")}
		retired := rapid.SliceOfN(rapid.Bool(), 6, 6).Draw(t, "retired")
		n := rapid.IntRange(0, 40).Draw(t, "history")
		var all []Past
		for number := n; number > 0; number-- {
			v := rapid.IntRange(0, 5).Draw(t, "version")
			r := Past{Number: number, VersionRef: fmt.Sprint(v), Retired: retired[v]}
			r.Status = rapid.SampledFrom([]engine.RevisionStatus{engine.RevisionFailed, engine.RevisionObsolete, engine.RevisionDowngraded}).Draw(t, "status")
			if number == n && rapid.Bool().Draw(t, "in progress") {
				r.Status = engine.RevisionInProgress
			}
			all = append(all, r)
		}
		if i := slices.IndexFunc(all, func(r Past) bool { return succeededOnce(r) }); i >= 0 {
			all[i].Status = engine.RevisionSuccessful
		}
		gone := h.Expendable(all)
		kept := slices.DeleteFunc(slices.Clone(all), func(r Past) bool { return slices.Contains(gone, r.Number) })

		if len(kept)+len(gone) != len(all) || !slices.Equal(kept[:min(len(kept), h.Revisions)], all[:min(len(all), h.Revisions)]) {
			t.Fatalf("of %v are kept %v, and go %v", all, kept, gone)
		}
		if got, want := serves(kept), serves(all); got != want {
			t.Fatalf("serves and before it: %v, was %v", got, want)
		}
		for v := range retired {
			was, is := newestSuccess(all, fmt.Sprint(v)), newestSuccess(kept, fmt.Sprint(v))
			if !retired[v] && is != was {
				t.Fatalf("version %d, which Terraform has, lost revision %d", v, was)
			}
		}
		if most := h.Revisions + h.Versions + len(retired) + 2; len(kept) > most {
			t.Fatalf("%d are kept: %v", len(kept), kept)
		}
		if again := h.Expendable(kept); len(again) > 0 {
			t.Fatalf("a second time %v go", again)
		}
	})
}

func succeededOnce(r Past) bool {
	return r.Status == engine.RevisionSuccessful || r.Status == engine.RevisionObsolete || r.Status == engine.RevisionDowngraded
}

// serves are the numbers of what serves and of what served another content before.
func serves(all []Past) (numbers [2]int) {
	i := slices.IndexFunc(all, func(r Past) bool { return r.Status == engine.RevisionSuccessful })
	if i < 0 {
		return numbers
	}
	numbers[0] = all[i].Number
	for _, r := range all[i+1:] {
		if succeededOnce(r) && r.VersionRef != all[i].VersionRef {
			numbers[1] = r.Number
			break
		}
	}
	return numbers
}

func newestSuccess(all []Past, ref string) int {
	for _, r := range all {
		if r.VersionRef == ref && succeededOnce(r) {
			return r.Number
		}
	}
	return 0
}

func TestKeptHistory(t *testing.T) {
	var all []Past
	for number := 200; number > 0; number-- {
		all = append(all, Past{Number: number, Status: engine.RevisionObsolete, VersionRef: fmt.Sprint(number), Retired: number != 7})
	}
	gone := KeptHistory.Expendable(all)
	if len(gone) != 149 || slices.Contains(gone, 151) || slices.Contains(gone, 7) || !slices.Contains(gone, 150) {
		t.Errorf("%d go: %v", len(gone), gone)
	}
}

package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// allowed is what the seed and the design say, for every case: of each status
// the verbs in the order edit, deploy, roll back, copy, add child, remove,
// destroy. It is written down apart from Rules on purpose.
var allowed = map[[2]string]map[engine.RevisionStatus]string{
	{"complex", "incremental"}: {
		"":            "yes yes no yes yes yes yes",
		"preparing":   "yes yes no yes yes yes yes",
		"in_progress": "no yes no yes yes no no",
		"successful":  "no yes no yes yes yes yes",
		"failed":      "yes yes no yes yes yes yes",
		"obsolete":    "no yes yes yes yes yes yes",
		"downgraded":  "no yes yes yes yes yes yes",
	},
	{"complex", "rolling"}: {
		"":            "yes yes no yes no yes yes",
		"preparing":   "yes yes no yes no yes yes",
		"in_progress": "no yes no yes no no no",
		"successful":  "yes yes no yes no yes yes",
		"failed":      "yes yes no yes no yes yes",
		"obsolete":    "yes yes no yes no yes yes",
		"downgraded":  "yes yes no yes no yes yes",
	},
}

// inSimple is the row of a simple product: its only version is rolling.
func inSimple(kind string, status engine.RevisionStatus) string {
	if kind == engine.VersionIncremental {
		return "no no no no no no no"
	}
	return allowed[[2]string{"complex", "rolling"}][status]
}

func TestRulesOverTheWholeCrossProduct(t *testing.T) {
	cases := 0
	for _, product := range []string{engine.ProductSimple, engine.ProductComplex} {
		for _, kind := range []string{engine.VersionIncremental, engine.VersionRolling} {
			for _, status := range RevisionStatuses {
				row := inSimple(kind, status)
				if product == engine.ProductComplex {
					row = allowed[[2]string{product, kind}][status]
				}
				simplify := "no"
				if product == engine.ProductSimple {
					simplify = "yes"
				}
				want := append(strings.Fields(row), simplify)
				for i, verb := range Verbs {
					c := Case{Verb: verb, Product: product, Type: kind, Status: status, Name: "1.4.0"}
					cases++
					err := Allow(c)
					if got := map[bool]string{true: "yes", false: "no"}[err == nil]; got != want[i] {
						t.Errorf("%+v: %s, want %s (%v)", c, got, want[i], err)
					}
					for _, refused := range engine.All(err) {
						if refused.Class != engine.ErrConflict || refused.Hint == "" || strings.Contains(refused.Hint, "{") { //nolint:errorlint // a class itself
							t.Errorf("%+v: %+v", c, refused)
						}
					}
				}
			}
		}
	}
	if want := 2 * 2 * len(RevisionStatuses) * len(Verbs); cases != want || len(RevisionStatuses) != 7 {
		t.Errorf("%d cases of %d", cases, want)
	}
}

// A fact forbids its verb in every case, and no other.
func TestRulesOfFacts(t *testing.T) {
	forbidden := map[Fact]Verb{HasChild: AddChild, IsDeprecated: Copy, IsProtected: Destroy}
	for fact, verb := range forbidden {
		for _, v := range Verbs {
			for _, kind := range []string{engine.VersionIncremental, engine.VersionRolling} {
				for _, status := range RevisionStatuses {
					c := Case{Verb: v, Type: kind, Status: status, Name: "1.4.0"}
					plain := Decide(c).Allowed
					c.Facts = []Fact{fact}
					if got, want := Decide(c).Allowed, plain && v != verb; got != want {
						t.Errorf("%+v: %v, want %v", c, got, want)
					}
				}
			}
		}
	}
}

// A rule that never decides anything only looks like one.
func TestEveryRuleDecides(t *testing.T) {
	for i, r := range Rules {
		decides := false
		for _, product := range []string{engine.ProductSimple, engine.ProductComplex} {
			for _, kind := range []string{engine.VersionIncremental, engine.VersionRolling} {
				for _, status := range RevisionStatuses {
					for _, verb := range Verbs {
						got := Decide(Case{Verb: verb, Product: product, Type: kind, Status: status, Facts: []Fact{r.Given}})
						decides = decides || got.Reason == r.Reason && got.Verb == r.Verb && got.Given == r.Given
					}
				}
			}
		}
		if !decides || r.Reason == "" {
			t.Errorf("rule %d is of no use: %+v", i, r)
		}
	}
}

func TestStanding(t *testing.T) {
	type statuses = []engine.RevisionStatus
	for name, test := range map[string]struct {
		sealed    bool
		revisions statuses
		want      engine.RevisionStatus
	}{
		"never deployed":            {false, nil, ""},
		"failed":                    {false, statuses{"failed", "preparing"}, "failed"},
		"sealed, deployments gone":  {true, nil, "obsolete"},
		"sealed and failed":         {true, statuses{"failed"}, "obsolete"},
		"serving somewhere":         {true, statuses{"downgraded", "successful", "failed"}, "successful"},
		"went back":                 {false, statuses{"downgraded", "failed"}, "downgraded"},
		"under way decides it all":  {true, statuses{"successful", "in_progress"}, "in_progress"},
		"rolling, obsolete at most": {false, statuses{"obsolete", "downgraded"}, "obsolete"},
	} {
		before := slices.Clone(test.revisions)
		if got := Standing(test.sealed, test.revisions); got != test.want || !slices.Equal(before, test.revisions) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestAllowProductChange(t *testing.T) {
	product := func(kind string) engine.Product { return engine.Product{Type: kind} }
	for _, test := range []struct {
		from, to string
		refused  bool
	}{{"simple", "complex", false}, {"simple", "simple", false}, {"complex", "complex", false}, {"complex", "simple", true}, {"", "simple", true}} {
		got := complaints(t, AllowProductChange(product(test.from), product(test.to)), engine.ErrConflict)
		if (len(got) > 0) != test.refused || test.refused && !strings.HasPrefix(got[0], "type: a complex product cannot become simple") {
			t.Errorf("%q to %q: %q", test.from, test.to, got)
		}
	}
}

func TestAllowChange(t *testing.T) {
	image := "registry.acme.dev/a:1@sha256:"
	stored := incremental("1.4.0", "", 1)
	stored.Sealed, stored.Components = true, shop()
	stored.Images = map[string]string{"api": image + "aa"}
	for name, test := range map[string]struct {
		change func(stored, wanted *engine.Version)
		reason string
	}{
		"nothing":     {func(_, w *engine.Version) {}, ""},
		"spelling":    {func(_, w *engine.Version) { c := w.Components["db"]; c.StopGracePeriod = "10s"; w.Components["db"] = c }, ""},
		"changelog":   {func(_, w *engine.Version) { w.Changelog, w.Status = "new", "deprecated" }, ""},
		"no images":   {func(_, w *engine.Version) { w.Images = nil }, ""},
		"tag":         {func(_, w *engine.Version) { w.Images = map[string]string{"api": "other:2@sha256:aa"} }, ""},
		"components":  {func(_, w *engine.Version) { c := w.Components["db"]; c.User = "1"; w.Components["db"] = c }, "its components cannot change"},
		"images":      {func(_, w *engine.Version) { w.Images = map[string]string{"api": image + "bb"} }, "its image digests cannot change"},
		"type":        {func(_, w *engine.Version) { w.Type = "rolling" }, "its type cannot change"},
		"not sealed":  {func(s, w *engine.Version) { s.Sealed, w.Components = false, nil }, ""},
		"less of all": {func(_, w *engine.Version) { delete(w.Components, "db") }, "its components cannot change"},
	} {
		t.Run(name, func(t *testing.T) {
			before, wanted := stored, stored
			wanted.Components = shop()
			test.change(&before, &wanted)
			field := ""
			if test.reason != "" {
				field = "components"
			}
			err := AllowChange(Case{Status: Standing(before.Sealed, nil)}, before, wanted)
			wantComplaint(t, err, engine.ErrConflict, field, test.reason)
			for _, e := range engine.All(err) {
				if !strings.Contains(e.Reason, "sealed by its first successful deployment") || !strings.Contains(e.Hint, `slipway_version named "1.4.1"`) {
					t.Errorf("%q, hint %q", e.Reason, e.Hint)
				}
			}
		})
	}
}

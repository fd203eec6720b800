package catalog

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

func TestSelectVersions(t *testing.T) {
	all := []engine.Version{
		{Name: "1.2.0", Type: engine.VersionIncremental, Status: engine.VersionDeprecated},
		{Name: "edge", Type: engine.VersionRolling, Status: engine.VersionActive},
		{Name: "1.10.0", Type: engine.VersionIncremental, Status: engine.VersionPreferred},
		{Name: "2.0.0-rc.1", Type: engine.VersionIncremental, Status: engine.VersionActive},
		{Name: "1.9.3", Type: engine.VersionIncremental, Status: engine.VersionActive},
	}
	for name, test := range map[string]struct {
		filter engine.VersionFilter
		want   string
	}{
		"all":            {engine.VersionFilter{}, "2.0.0-rc.1 1.10.0 1.9.3 1.2.0 edge"},
		"range":          {engine.VersionFilter{Constraint: ">= 1.3, < 2"}, "1.10.0 1.9.3"},
		"tilde":          {engine.VersionFilter{Constraint: "~1.9"}, "1.9.3"},
		"pre-release":    {engine.VersionFilter{Constraint: ">= 2.0.0-0"}, "2.0.0-rc.1"},
		"status":         {engine.VersionFilter{Status: engine.VersionActive}, "2.0.0-rc.1 1.9.3 edge"},
		"both":           {engine.VersionFilter{Constraint: "1.x", Status: engine.VersionPreferred}, "1.10.0"},
		"none is no bug": {engine.VersionFilter{Constraint: "> 9"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			picked, err := SelectVersions(all, test.filter)
			var names []string
			for _, v := range picked {
				names = append(names, v.Name)
			}
			if got := strings.Join(names, " "); err != nil || got != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
	_, err := SelectVersions(all, engine.VersionFilter{Constraint: "about 1"})
	var invalid *engine.Error
	if !errors.As(err, &invalid) || invalid.Field != "constraint" || invalid.Hint == "" {
		t.Errorf("a wrong constraint: %v", err)
	}
}

func TestDifferences(t *testing.T) {
	two, three := 2, 3
	from := engine.Version{Images: map[string]string{"api": "r.test/api:1@sha256:aa"}, Components: map[string]engine.Component{
		"api": {Image: "r.test/api:1", Replicas: &two, Args: []string{"serve"}, Env: map[string]string{"A": "1", "B": "", "C": "3"}, StopGracePeriod: "60s"},
		"old": {Image: "r.test/old:1"},
	}}
	to := engine.Version{Images: map[string]string{"api": "r.test/api:1@sha256:bb"}, Components: map[string]engine.Component{
		"api": {Image: "r.test/api:1", Replicas: &three, Args: []string{"serve", "-v"}, Env: map[string]string{"A": "2", "B": "", "D": "4"}, StopGracePeriod: "1m"},
		"new": {Image: "r.test/new:1"},
	}}
	is := func(s string) *string { return &s }
	want := []engine.Difference{
		{Component: "api", Attribute: "args", From: is(`["serve"]`), To: is(`["serve","-v"]`)},
		{Component: "api", Attribute: "env.A", From: is("1"), To: is("2")},
		{Component: "api", Attribute: "env.C", From: is("3")},
		{Component: "api", Attribute: "env.D", To: is("4")},
		{Component: "api", Attribute: "image", From: is("r.test/api:1@sha256:aa"), To: is("r.test/api:1@sha256:bb")},
		{Component: "api", Attribute: "replicas", From: is("2"), To: is("3")},
		{Component: "new", To: is("r.test/new:1")},
		{Component: "old", From: is("r.test/old:1")},
	}
	if diff := cmp.Diff(want, Differences(from, to)); diff != "" {
		t.Error(diff)
	}
}

// Two versions have no difference exactly when their content is the same, and
// the way back is the mirrored list.
func TestDifferencesAgreeWithDigests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		version := func(label string) engine.Version {
			return engine.Version{Components: map[string]engine.Component{
				"api": {
					Image:     rapid.SampledFrom([]string{"r.test/a:1", "r.test/a:2"}).Draw(t, label+" image"),
					Env:       rapid.MapOfN(rapid.SampledFrom([]string{"A", "B"}), rapid.SampledFrom([]string{"", "1", "2"}), 0, 2).Draw(t, label+" env"),
					Args:      rapid.SliceOfN(rapid.SampledFrom([]string{"x", "y"}), 0, 2).Draw(t, label+" args"),
					DependsOn: rapid.SliceOfN(rapid.SampledFrom([]string{"db", "mq"}), 0, 2).Draw(t, label+" depends_on"),
				},
			}}
		}
		a, b := version("a"), version("b")
		there, back := Differences(a, b), Differences(b, a)
		if same := Digest(a.Components) == Digest(b.Components); same != (len(there) == 0) {
			t.Fatalf("same digest: %v, differences %v", same, there)
		}
		for i := range there {
			there[i].From, there[i].To = there[i].To, there[i].From
		}
		if diff := cmp.Diff(back, there); diff != "" {
			t.Fatal(diff)
		}
	})
}

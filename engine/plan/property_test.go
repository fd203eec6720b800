package plan

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

var names = []string{"a", "b", "c", "d", "e"}

// versions draws components that depend only on those before them in a drawn order.
func versions(t *rapid.T, label string) map[string]catalog.Effective {
	cs := map[string]engine.Component{}
	ordered := rapid.Permutation(names).Draw(t, label+" order")
	for i, name := range ordered[:rapid.IntRange(1, len(ordered)).Draw(t, label+" count")] {
		c := engine.Component{
			Image:    rapid.SampledFrom([]string{"x", "y"}).Draw(t, label+" image"),
			Replicas: ptr(rapid.IntRange(0, 3).Draw(t, label+" replicas")),
		}
		if rapid.Bool().Draw(t, label+" volume") {
			c.Volumes = map[string]engine.Volume{"data": {Path: "/data"}}
		}
		if i > 0 {
			c.DependsOn = rapid.SliceOfDistinct(rapid.SampledFrom(ordered[:i]), rapid.ID).Draw(t, label+" depends on")
		}
		cs[name] = c
	}
	return effective(t, cs, catalog.MergeInput{})
}

func observation(t *rapid.T, known ...map[string]catalog.Effective) []Instance {
	var all []Instance
	for i := range rapid.IntRange(0, 12).Draw(t, "instances") {
		name := rapid.SampledFrom(append(names, "stranger")).Draw(t, "component")
		revision := rapid.IntRange(1, 4).Draw(t, "revision")
		hash := rapid.SampledFrom(known).Draw(t, "of")[name].ConfigHash
		all = append(all, Instance{
			Name: fmt.Sprintf("%s-%d-%d", name, revision, i), Component: name, Ordinal: i, Revision: revision,
			ConfigHash: hash, Usable: rapid.Bool().Draw(t, "usable"), Problem: "instance is exited",
		})
	}
	return all
}

// execute answers what runs once the plan is carried out as revision 9.
func execute(p Plan, desired map[string]catalog.Effective, observed []Instance) []Instance {
	var after []Instance
	for _, s := range p.Steps {
		for _, i := range observed {
			if slices.Contains(s.Keep, i.Name) {
				after = append(after, i)
			}
		}
		for n := range s.Create {
			after = append(after, Instance{Name: fmt.Sprintf("%s-9-%d", s.Component, n), Component: s.Component, Ordinal: n, Revision: 9, ConfigHash: desired[s.Component].ConfigHash, Usable: true})
		}
	}
	return after
}

func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prior, desired := versions(t, "prior"), versions(t, "desired")
		if rapid.Bool().Draw(t, "first") {
			prior = nil
		}
		observed := observation(t, prior, desired)
		traits := Traits{StartFirstPorts: rapid.Bool().Draw(t, "traits")}
		p := Make(prior, Desired{desired}, observed, traits)
		done := map[string]bool{}
		touched := map[string]int{}
		for _, s := range p.Steps {
			want, wanted := desired[s.Component]
			for _, d := range s.DependsOn {
				if _, known := desired[d]; known && !done[d] {
					t.Fatalf("%s comes before %s", s.Component, d)
				}
			}
			if done[s.Component] {
				t.Fatalf("%s has two steps", s.Component)
			}
			done[s.Component] = true
			for _, name := range slices.Concat(s.Keep, s.Retire) {
				touched[name]++
			}
			if len(s.Keep)+s.Create != want.Replicas || s.Create < 0 {
				t.Fatalf("%+v does not make %d replicas", s, want.Replicas)
			}
			if wanted == (s.Action == Remove) {
				t.Fatalf("%+v, wanted %v", s, wanted)
			}
			if quiet := s.Create == 0 && len(s.Retire) == 0; quiet != (s.Action == Keep) {
				t.Fatalf("%+v is not what it says", s)
			}
			if s.StartFirst && s.Gap != "" || s.Create > 0 && s.StartFirst != (s.Gap == "") {
				t.Fatalf("%+v: which comes first", s)
			}
		}
		for name := range desired {
			if !done[name] {
				t.Fatalf("%s has no step", name)
			}
		}
		for _, i := range observed {
			if touched[i.Name] != 1 {
				t.Fatalf("%s is decided on %d times", i.Name, touched[i.Name])
			}
		}
		after := execute(p, desired, observed)
		for _, s := range Make(desired, Desired{desired}, after, traits).Steps {
			if s.Action != Keep {
				t.Fatalf("the second plan is not empty: %+v", s)
			}
		}
		if !reflect.DeepEqual(p, Make(prior, Desired{desired}, observed, traits)) {
			t.Fatal("the same input gives another plan")
		}
	})
}

func TestUnchangedComponentsAreNotTouched(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prior, desired := versions(t, "prior"), versions(t, "desired")
		observed := execute(Make(nil, Desired{prior}, nil, Traits{}), prior, nil)
		changes := Changes(prior, desired, Traits{})
		for _, s := range Make(prior, Desired{desired}, observed, Traits{}).Steps {
			was, served := prior[s.Component]
			same := served && was.ConfigHash == desired[s.Component].ConfigHash && was.Replicas == desired[s.Component].Replicas
			if same != (s.Action == Keep) && (was.Replicas > 0 || desired[s.Component].Replicas > 0) {
				t.Fatalf("%+v, but unchanged is %v", s, same)
			}
			if same && !slices.Contains(changes, s.Component+": keep") {
				t.Fatalf("changes %q do not keep %s", changes, s.Component)
			}
		}
		if len(changes) != len(maps.Collect(union(prior, desired))) {
			t.Fatalf("changes %q do not name every component once", changes)
		}
	})
}

func union(a, b map[string]catalog.Effective) func(func(string, bool) bool) {
	return func(yield func(string, bool) bool) {
		for _, m := range []map[string]catalog.Effective{a, b} {
			for name := range m {
				if !yield(name, true) {
					return
				}
			}
		}
	}
}

func TestLevelsProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prior, desired := versions(t, "prior"), versions(t, "desired")
		steps := Make(prior, Desired{desired}, observation(t, prior, desired), Traits{}).Steps
		var seen []string
		total := 0
		for _, level := range Levels(steps) {
			if len(level) == 0 {
				t.Fatal("an empty level")
			}
			for _, s := range level {
				total++
				for _, d := range s.DependsOn {
					if slices.ContainsFunc(steps, func(o Step) bool { return o.Component == d }) && !slices.Contains(seen, d) {
						t.Fatalf("%s does not come after %s", s.Component, d)
					}
				}
			}
			for _, s := range level {
				seen = append(seen, s.Component)
			}
		}
		if total != len(steps) {
			t.Fatalf("%d steps, %d in levels", len(steps), total)
		}
	})
}

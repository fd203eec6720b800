package catalog

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

func TestAllowPromotion(t *testing.T) {
	const soak = 10 * time.Minute
	for name, test := range map[string]struct {
		p            Promotion
		reason, hint string // "" when it may enter
	}{
		"no source":                  {Promotion{Source: ""}, "", ""},
		"proved":                     {Promotion{Ever: true}, "", ""},
		"never there":                {Promotion{}, `version "1.4.0" has not succeeded in acme/staging, which acme/production promotes from`, "version = slipway_deployment."},
		"never there, soak":          {Promotion{MinSoak: soak}, "has not succeeded", "Deploy it there first"},
		"in the same run":            {Promotion{Planned: true}, "", ""},
		"in the same run, soak":      {Promotion{Planned: true, MinSoak: soak}, "only comes to acme/staging in this run, and has served there for 0s of 10m", "10m or more later"},
		"too short":                  {Promotion{Ever: true, MinSoak: soak, For: 3*time.Minute + 400*time.Millisecond}, "has served acme/staging for 3m of 10m, the min_soak of acme/production", "for another 6m59s"},
		"too short, planned again":   {Promotion{Ever: true, Planned: true, MinSoak: soak, For: time.Minute}, "for 1m of 10m", "another 9m"},
		"just long enough":           {Promotion{Ever: true, MinSoak: soak, For: soak}, "", ""},
		"ran here before":            {Promotion{RanHere: true, MinSoak: soak}, "", ""},
		"succeeded without any time": {Promotion{Ever: true, MinSoak: time.Millisecond}, "for 0s of 1ms", "another 1ms"},
	} {
		t.Run(name, func(t *testing.T) {
			p := test.p
			p.Version, p.Environment = "1.4.0", "acme/production"
			if name != "no source" {
				p.Source = "acme/staging"
			}
			field := ""
			if test.reason != "" {
				field = "version"
			}
			err := AllowPromotion(p)
			wantComplaint(t, err, engine.ErrConflict, field, test.reason)
			for _, e := range engine.All(err) {
				if !strings.Contains(e.Hint, test.hint) {
					t.Errorf("hint %q, want …%s…", e.Hint, test.hint)
				}
			}
		})
	}
}

func TestAllowSourceNamesTheCircle(t *testing.T) {
	env := func(name, source string) engine.Environment {
		return engine.Environment{TeamID: "acme", Name: name, PromotesFromID: source}
	}
	sources := map[string]string{"acme/dev": "", "acme/staging": "acme/dev", "acme/production": "acme/staging"}
	wantComplaint(t, AllowSource(env("production", "acme/staging"), sources), engine.ErrConflict, "", "")
	wantComplaint(t, AllowSource(env("dev", ""), sources), engine.ErrConflict, "", "")
	wantComplaint(t, AllowSource(env("dev", "acme/elsewhere"), sources), engine.ErrConflict, "", "")
	wantComplaint(t, AllowSource(env("dev", "acme/dev"), sources), engine.ErrConflict, "promotes_from_id", "acme/dev from acme/dev")
	wantComplaint(t, AllowSource(env("dev", "acme/production"), sources), engine.ErrConflict, "promotes_from_id",
		"in a circle: acme/dev from acme/production from acme/staging from acme/dev")
}

// Whatever is taken one after the other, no environment leads back to itself.
func TestSourcesMakeNoCircle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"a", "b", "c", "d", "e"}
		sources := map[string]string{}
		for range rapid.IntRange(1, 30).Draw(t, "changes") {
			name := rapid.SampledFrom(names).Draw(t, "environment")
			source := rapid.SampledFrom(append([]string{""}, names...)).Draw(t, "source")
			if source != "" {
				source = "acme/" + source
			}
			if AllowSource(engine.Environment{TeamID: "acme", Name: name, PromotesFromID: source}, sources) == nil {
				sources["acme/"+name] = source
			}
			for start := range sources {
				at, steps := sources[start], 0
				for ; at != "" && steps <= len(names); at = sources[at] {
					steps++
				}
				if at != "" {
					t.Fatalf("a circle from %s: %v", start, sources)
				}
			}
		}
	})
}

package rollout_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

func TestNamesComeBeforeVisitors(t *testing.T) {
	for name, prepare := range map[string]func(*stage){
		"rolling":    func(*stage) {},
		"blue/green": func(s *stage) { s.strategy.Type = engine.StrategyBlueGreen },
	} {
		t.Run(name, inFakeTime(func(t *testing.T) {
			s, p := newWebStage(t)
			prepare(s)
			named := map[string][]string{}
			p.refuses = func(what string) error {
				named[what] = s.node.Routed(deployment, "api")
				slices.Sort(named[what])
				return nil
			}
			s.mustBring("2.0.0", web("2"))
			both := []string{"api-1-1", "api-2-1"}
			for _, what := range []string{"reach api-2-1", "lead api=api-2-1"} {
				if !slices.Equal(named[what], both) {
					t.Errorf("before %q %v had the name, want %v", what, named[what], both)
				}
			}
			if got := s.node.Routed(deployment, "api"); !slices.Equal(got, []string{"api-2-1"}) {
				t.Errorf("in the end %v have the name", got)
			}
		}))
	}
}

func TestCanaryIsNamedWhenItHasNoVisitors(t *testing.T) {
	inFakeTime(func(t *testing.T) {
		s, p := newWebStage(t)
		canaries(s)
		var nameless []string
		p.refuses = func(what string) error {
			if !slices.Contains(s.node.Routed(deployment, "api"), "api-2-1") {
				nameless = append(nameless, what)
			}
			return nil
		}
		s.mustBring("2.0.0", web("2"))
		expect(t, nameless, "reach api-2-1", "lead api=api-1-1+api-2-1 (10% api-2-1)", "lead api=api-1-1+api-2-1 (50% api-2-1)", "lead api=api-1-1", "drain api-2-1")
	})(t)
}

func TestWhatDoesNotOutliveItsNameIsNotVisited(t *testing.T) {
	inFakeTime(func(t *testing.T) {
		s, p := newWebStage(t)
		s.node.SetFault(func(method, _ string) error {
			if method == "route" {
				s.node.Alter(node.Key{Deployment: deployment, Name: "api-2-1"}, func(i *node.Instance) { i.State, i.ExitCode = node.Exited, 3 })
				s.node.SetFault(nil)
			}
			return nil
		})
		var failed *engine.RolloutError
		if err := s.bring(t.Context(), "2.0.0", web("2")); !errors.As(err, &failed) || failed.Component != "api" || failed.ExitCode == nil || *failed.ExitCode != 3 {
			t.Errorf("failed with %v, want by the end of api", err)
		}
		expect(t, p.heard(), "reach api-2-1")
		s.runs("api-1-1", "db-1-1")
		if got := s.node.Routed(deployment, "api"); !slices.Equal(got, []string{"api-1-1"}) {
			t.Errorf("in the end %v have the name", got)
		}
	})(t)
}

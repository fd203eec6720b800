package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// Make plans the way from what runs to what should run. prior is the
// configuration of the serving revision, nil when there is none; observed is
// every instance of the deployment that the node has, of whatever revision.
//
// An instance stays when it is usable and has the wanted config hash: newest
// revision first, then lowest ordinal, up to the wanted number. All others go.
// Executing the plan and making it again gives a plan of nothing but keep.
func Make(prior map[string]catalog.Effective, desired Desired, observed []Instance, traits Traits) Plan {
	running := byComponent(observed)
	restored := restoring(traits.Data, prior, desired.Components)
	var p Plan
	for _, name := range order(desired.Components) {
		was, served := prior[name]
		c := change{name: name, was: was, served: served, want: desired.Components[name], running: running[name], traits: traits, restored: restored[name]}
		p.Steps = append(p.Steps, c.step())
		delete(running, name)
	}
	p.Steps = append(p.Steps, removals(prior, running, restored)...)
	return p
}

func byComponent(instances []Instance) map[string][]Instance {
	sorted := slices.SortedFunc(slices.Values(instances), func(a, b Instance) int {
		return cmp.Or(-cmp.Compare(a.Revision, b.Revision), cmp.Compare(a.Ordinal, b.Ordinal), cmp.Compare(a.Name, b.Name))
	})
	groups := map[string][]Instance{}
	for _, i := range sorted {
		groups[i.Component] = append(groups[i.Component], i)
	}
	return groups
}

// change is one component on its way.
type change struct {
	name    string
	was     catalog.Effective
	served  bool // was is known: the serving revision has the component
	want    catalog.Effective
	running []Instance // newest first
	traits  Traits

	restored string // why no instance that goes may run while data is restored, "" = it may
}

func (c change) step() Step {
	s := Step{Component: c.name, DependsOn: dependencies(c.want), Restoring: c.restored != ""}
	var retired []Instance
	for _, i := range c.running {
		if i.Usable && i.ConfigHash == c.want.ConfigHash && len(s.Keep) < c.want.Replicas {
			s.Keep = append(s.Keep, i.Name)
			continue
		}
		s.Retire = append(s.Retire, i.Name)
		retired = append(retired, i)
	}
	s.Create = c.want.Replicas - len(s.Keep)
	s.Action, s.Why = c.action(s, retired)
	if s.Create > 0 && len(retired) > 0 {
		s.Gap = c.gap(retired)
	}
	s.StartFirst = s.Create > 0 && s.Gap == ""
	return s
}

func (c change) action(s Step, retired []Instance) (Action, string) {
	switch {
	case s.Create == 0 && len(retired) == 0:
		return Keep, ""
	case !c.served:
		return Create, ""
	case c.was.ConfigHash != c.want.ConfigHash:
		return Replace, strings.Join(Differences(c.was, c.want), ", ")
	case c.was.Replicas != c.want.Replicas:
		return Scale, strings.Join(append([]string{"replicas"}, problems(retired)...), ", ")
	case len(problems(retired)) > 0:
		return Repair, strings.Join(problems(retired), ", ")
	case s.Create > 0:
		return Repair, gone(s.Create)
	default:
		return Repair, "more instances than wanted"
	}
}

func gone(n int) string {
	if n == 1 {
		return "instance is gone"
	}
	return fmt.Sprintf("%d instances are gone", n)
}

// problems lists what is wrong with instances, each wrong once.
func problems(retired []Instance) []string {
	var all []string
	for _, i := range retired {
		problem := cmp.Or(i.Problem, "instance is not usable")
		if !i.Usable && !slices.Contains(all, problem) {
			all = append(all, problem)
		}
	}
	return all
}

// removals retires what belongs to no wanted component: dependents before what
// they depended on, as far as the serving revision knows.
func removals(prior map[string]catalog.Effective, running map[string][]Instance, restored map[string]string) []Step {
	gone := map[string]catalog.Effective{}
	for name := range running {
		gone[name] = prior[name]
	}
	var steps []Step
	for _, name := range slices.Backward(order(gone)) {
		s := Step{Component: name, Action: Remove, DependsOn: dependents(gone, name), Restoring: restored[name] != ""}
		for _, i := range running[name] {
			s.Retire = append(s.Retire, i.Name)
		}
		steps = append(steps, s)
	}
	return steps
}

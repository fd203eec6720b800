package plan

import (
	"maps"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// dependencies names what a component depends on, sorted, nil for none.
func dependencies(e catalog.Effective) []string {
	return slices.Compact(slices.Sorted(slices.Values(e.Component.DependsOn)))
}

// dependents names the components of cs that depend on name, sorted.
func dependents(cs map[string]catalog.Effective, name string) []string {
	var all []string
	for other := range cs {
		if slices.Contains(cs[other].Component.DependsOn, name) {
			all = append(all, other)
		}
	}
	slices.Sort(all)
	return all
}

// order lists the components so that each comes after what it depends on; of
// those that could come next the first in the alphabet does. Dependencies on
// components that cs does not have count for nothing.
func order(cs map[string]catalog.Effective) []string {
	names := slices.Sorted(maps.Keys(cs))
	ordered := make([]string, 0, len(names))
	ready := func(name string) bool {
		for _, d := range cs[name].Component.DependsOn {
			if _, known := cs[d]; known && !slices.Contains(ordered, d) {
				return false
			}
		}
		return true
	}
	for len(names) > 0 {
		next := max(0, slices.IndexFunc(names, ready)) // validated components have no cycle, which would have no next
		ordered = append(ordered, names[next])
		names = slices.Delete(names, next, next+1)
	}
	return ordered
}

// Levels puts steps together that may run at the same time: each level needs
// only levels before it. Removed components come after all others.
func Levels(steps []Step) [][]Step {
	level := map[string]int{}
	var levels [][]Step
	place := func(s Step, at int) {
		for _, d := range s.DependsOn {
			if l, known := level[d]; known && l >= at {
				at = l + 1
			}
		}
		level[s.Component] = at
		for len(levels) <= at {
			levels = append(levels, nil)
		}
		levels[at] = append(levels[at], s)
	}
	for _, s := range steps {
		if s.Action != Remove {
			place(s, 0)
		}
	}
	first := len(levels)
	for _, s := range steps {
		if s.Action == Remove {
			place(s, first)
		}
	}
	return levels
}

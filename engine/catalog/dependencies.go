package catalog

import (
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// validateDependencies checks depends_on of all components; fields are relative
// to the map of components.
func validateDependencies(cs map[string]engine.Component) error {
	var p problems
	for name, c := range sorted(cs) {
		field := name + ".depends_on"
		for _, d := range c.DependsOn {
			if _, known := cs[d]; d == name {
				p.invalid(field, "%q cannot depend on itself", name)
			} else if !known {
				p.invalid(field, "there is no component %q", d)
			}
		}
	}
	for _, cycle := range cycles(cs) {
		p.invalid(cycle[0]+".depends_on", "components depend on each other in a cycle: %s",
			strings.Join(append(cycle, cycle[0]), " -> "))
	}
	return p.err()
}

// cycles finds loops of two and more components, each beginning with its first
// name in the alphabet, in a fixed order. At least one is found if there is any.
func cycles(cs map[string]engine.Component) [][]string {
	var found [][]string
	done := map[string]bool{}
	var visit func(name string, way []string)
	visit = func(name string, way []string) {
		if i := slices.Index(way, name); i >= 0 {
			if loop := way[i:]; len(loop) > 1 {
				found = append(found, fromFirst(loop))
			}
			return
		}
		if done[name] {
			return
		}
		way = append(slices.Clone(way), name)
		for _, d := range slices.Sorted(slices.Values(cs[name].DependsOn)) {
			visit(d, way)
		}
		done[name] = true
	}
	for name := range sorted(cs) {
		visit(name, nil)
	}
	slices.SortFunc(found, slices.Compare)
	return slices.CompactFunc(found, slices.Equal)
}

// fromFirst turns a loop so that its smallest name stands first.
func fromFirst(loop []string) []string {
	i := slices.Index(loop, slices.Min(loop))
	return slices.Concat(loop[i:], loop[:i])
}

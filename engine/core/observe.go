package core

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/plan"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
)

// asPlanned turns what a node shows into what the planner reasons about.
// unwell are those that were started again and did not become healthy.
func asPlanned(observed []node.Instance, wanted map[string]catalog.Effective, unwell map[string]bool) []plan.Instance {
	all := make([]plan.Instance, 0, len(observed))
	for _, i := range observed {
		problem := problemOf(i, wanted[i.Labels.Component].Component)
		if problem == "" && unwell[i.Key.Name] {
			problem = "does not become healthy again"
		}
		all = append(all, plan.Instance{
			Name: i.Key.Name, Component: i.Labels.Component,
			Ordinal: i.Labels.Ordinal, Revision: i.Labels.Revision, ConfigHash: i.Labels.ConfigHash,
			Usable: problem == "", Problem: problem,
		})
	}
	return all
}

// problemOf says why an instance is not what it should be, "" when it is. An
// instance that ended and is about to be started again is not one: that is
// its supervisor's work.
func problemOf(i node.Instance, c engine.Component) string {
	switch {
	case len(i.Altered) > 0:
		return strings.Join(i.Altered, ", ")
	case i.State == node.Running, i.State == node.Restarting, rollout.FinishedJob(i, c):
		return ""
	case i.State == node.Lost:
		return "is gone: nothing supervises it any more"
	case i.Error != "":
		return "does not start: " + i.Error
	case i.State == node.Exited:
		return fmt.Sprintf("is stopped (exit code %d)", i.ExitCode)
	default:
		return "is " + string(i.State)
	}
}

// drift names what differs between the serving revision and the node, by
// component, in a stable order.
func drift(serving map[string]catalog.Effective, observed []node.Instance, routes []node.Route, unproven func(node.Instance) bool) []string {
	var lines []string
	seen := map[string]int{}
	for _, i := range observed {
		name := i.Labels.Component
		wanted, known := serving[name]
		problem := problemOf(i, wanted.Component)
		switch {
		case !known || i.Labels.ConfigHash != wanted.ConfigHash || seen[name] == wanted.Replicas:
			lines = append(lines, fmt.Sprintf("%s: extra instance %s", name, i.Key.Name))
			continue
		case problem != "":
			lines = append(lines, fmt.Sprintf("%s: instance %s %s", name, i.Key.Name, problem))
		}
		for _, port := range i.Unpublished {
			lines = append(lines, fmt.Sprintf("%s: instance %s cannot be reached on its published port %s", name, i.Key.Name, port))
		}
		seen[name]++
	}
	for name, wanted := range serving {
		switch missing := wanted.Replicas - seen[name]; {
		case missing == 1 && wanted.Replicas == 1:
			lines = append(lines, name+": instance is gone")
		case missing > 0:
			lines = append(lines, fmt.Sprintf("%s: %d of %d instances are gone", name, missing, wanted.Replicas))
		}
	}
	lines = append(lines, lostTraffic(serving, observed, routes, unproven, lines)...)
	slices.Sort(lines)
	return lines
}

// lostTraffic names the components whose traffic does not lead to what serves,
// where nothing else is amiss: what is gone or extra explains the table.
func lostTraffic(serving map[string]catalog.Effective, observed []node.Instance, routes []node.Route, unproven func(node.Instance) bool, known []string) []string {
	var lines []string
	for _, name := range rollout.Misrouted(routes, rollout.RoutesTo(serving, rollout.Servers(serving, observed, unproven))) {
		told := slices.ContainsFunc(known, func(line string) bool { return strings.HasPrefix(line, name+": ") })
		if !told {
			lines = append(lines, name+": its traffic does not lead to the instances that serve")
		}
	}
	return lines
}

// summaries counts the instances of every component.
func summaries(serving map[string]catalog.Effective, observed []node.Instance) map[string]engine.InstanceSummary {
	all := map[string]engine.InstanceSummary{}
	for name, wanted := range serving {
		s := engine.InstanceSummary{Image: wanted.Image, Replicas: wanted.Replicas}
		for _, i := range observed {
			if i.Labels.Component != name || i.Labels.ConfigHash != wanted.ConfigHash {
				continue
			}
			s.Restarts += i.Restarts
			if ready(i, wanted.Component) {
				s.Ready++
			}
		}
		all[name] = s
	}
	return all
}

func ready(i node.Instance, c engine.Component) bool {
	return i.State == node.Running && i.Health != "anomaly" || rollout.FinishedJob(i, c)
}

// healthOf sums up the components' counts.
func healthOf(all map[string]engine.InstanceSummary) string {
	health := engine.HealthHealthy
	for _, s := range all {
		switch {
		case s.Ready == 0 && s.Replicas > 0:
			return engine.HealthUnhealthy
		case s.Ready < s.Replicas:
			health = engine.HealthDegraded
		}
	}
	return health
}

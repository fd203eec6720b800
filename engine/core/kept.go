package core

import (
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// keptOf tells the instances of earlier revisions that run on for a while after
// the one that serves took their traffic (keep_old_for): going back to them needs
// no more than to move it. Once their time is up they are extra instances like
// any other, which the next operation removes.
func (e *Engine) keptOf(d engine.Deployment, s *serving, unproven func(node.Instance) bool) func(node.Instance) bool {
	until := keptUntil(d.Strategy, s)
	if !e.clock.Now().Before(until) {
		return func(node.Instance) bool { return false }
	}
	return func(i node.Instance) bool {
		return !unproven(i) && i.Labels.Revision < s.revision.Number && i.Labels.Revision > 0
	}
}

func keptUntil(strategy engine.Strategy, s *serving) time.Time {
	if s == nil || strategy.Type != engine.StrategyBlueGreen || strategy.KeepOldFor == "" {
		return time.Time{}
	}
	keep, err := engine.ParseDuration("strategy.keep_old_for", strategy.KeepOldFor, 0)
	if err != nil {
		return time.Time{}
	}
	return s.revision.FinishedAt.Add(keep)
}

// withoutKept leaves out the kept instances that are of no use to what is wanted:
// a component that does not change lets them run on.
func withoutKept(observed []node.Instance, kept func(node.Instance) bool, serving, wanted map[string]catalog.Effective) []node.Instance {
	var all []node.Instance
	for _, i := range observed {
		name := i.Labels.Component
		stays := serving[name].ConfigHash == wanted[name].ConfigHash && i.Labels.ConfigHash != wanted[name].ConfigHash
		if !kept(i) || !stays {
			all = append(all, i)
		}
	}
	return all
}

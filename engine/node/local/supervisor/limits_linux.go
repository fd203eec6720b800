package supervisor

import (
	"math"
	"path"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/cgroup"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// groupOf makes the control group of an instance.
func (s *Supervisor) groupOf(r state.Record) (*cgroup.Group, error) {
	limits, err := limitsOf(r.Spec.Component.Resources)
	if err != nil {
		return nil, err
	}
	g, err := s.tree.Make(path.Join(cgroup.Top, s.place.ID(), r.Spec.Key.Name), limits)
	if err != nil {
		return nil, engine.Unsupported("resources", err.Error(), "run the engine as root, or leave the limits out")
	}
	return g, nil
}

func limitsOf(r *engine.Resources) (l cgroup.Limits, err error) {
	if r == nil {
		return l, nil
	}
	if r.CPU != nil {
		// The kernel's shortest share is 1 ms of each 100 ms.
		l.CPU = math.Max(*r.CPU, 0.01)
	}
	if r.Pids != nil {
		l.Pids = *r.Pids
	}
	l.Memory, err = engine.ParseSize("resources.memory", r.Memory, 0)
	return l, err
}

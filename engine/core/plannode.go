package core

import (
	"context"
	"errors"
	"io/fs"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local"
	"github.com/slipwayhq/terraform-provider-slipway/engine/plan"
)

// PlanNode implements engine.Service. What is wrong with keys, certificates and
// contexts shows when a driver is opened for them, which connects to nothing.
func (e *Engine) PlanNode(ctx context.Context, n engine.Node) error {
	n.ID = engine.JoinID(n.TeamID, n.Name)
	if err := catalog.ValidateNode(n); err != nil {
		return err
	}
	if err := e.ingressMayChange(ctx, n); err != nil {
		return err
	}
	if n.Local != nil {
		return catalog.CheckIngressPorts(n, local.LowestPort())
	}
	if n.Docker != nil {
		_, err := e.driver(ctx, n)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // another resource of this run may write the file
		}
		return err
	}
	return nil
}

// foreseeNode answers a node as it will be after this run, the zero value when
// nobody knows it yet, and whether it is to be made in this run. One that is there
// and whose changes are not known yet has no kind.
func (e *Engine) foreseeNode(ctx context.Context, id string, in engine.Planned) (n engine.Node, fresh bool, err error) {
	stored, err := orNil(e.store.Node(ctx, id))
	if err != nil {
		return n, false, err
	}
	planned, found := in.Nodes[id]
	switch {
	case found && (stored != nil || planned.Kind != ""):
		return planned, stored == nil, nil
	case stored != nil:
		return *stored, false, nil
	}
	return n, true, nil
}

// able is a node that lacks nothing. One that is to be made in this run cannot
// be asked yet, so it is taken for able; apply asks it.
var able = node.Info{StartFirstPorts: true, LimitCPU: true, LimitMemory: true, LimitPids: true, Snapshots: true, Users: true, MinPort: 1}

// foreseeTraits asks the node's runtime, when there is one, what it can do.
func (e *Engine) foreseeTraits(ctx context.Context, w world, wanted map[string]catalog.Effective) (plan.Traits, error) {
	switch {
	case w.node.ID == "":
		return plan.Traits{StartFirstPorts: true}, nil // nothing is known of it, and it has nothing to replace
	case w.fresh && w.node.Docker == nil:
		return plan.Traits{StartFirstPorts: true}, eachComponent(wanted, func(name string, c catalog.Effective) error {
			return engine.At("components."+name, catalog.CheckRuntime(w.node.Kind, c.Component))
		})
	}
	d, err := e.driver(ctx, w.node)
	if err != nil {
		return plan.Traits{}, err
	}
	info := able
	if !w.fresh {
		if info, err = d.Info(ctx); err != nil {
			return plan.Traits{}, err
		}
	}
	return plan.Traits{StartFirstPorts: info.StartFirstPorts}, checkRuntime(d, wanted, info)
}

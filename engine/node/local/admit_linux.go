package local

import (
	"context"
	"os"
	"path/filepath"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// Admit implements node.Driver. Deployments share no network, and have the same
// addresses in their own: a door is a socket of the deployment's supervisor in a
// directory that the guest sees.
func (d *Driver) Admit(ctx context.Context, guest, deployment string, doors []node.Door) ([]string, error) {
	s, of := d.sandbox(deployment), d.sandbox(guest)
	wanted, seen := make([]state.Door, len(doors)), make([]string, len(doors))
	for n, door := range doors {
		wanted[n] = state.Door{Guest: of.ID(), Instance: door.Instance, Port: door.Port}
		if err := wanted[n].Check(s); err != nil {
			return nil, err
		}
		if _, err := os.Stat(s.Instance(door.Instance).RecordFile()); err != nil {
			return nil, engine.NotFound("instance", door.Instance)
		}
		seen[n] = "unix/" + wanted[n].Seen(s)
	}
	if len(doors) == 0 {
		return seen, nil
	}
	return seen, d.call(ctx, s, control.Request{Op: control.OpAdmit, Doors: wanted})
}

// removeDoors removes the doors to a deployment from all of its guests.
func (d *Driver) removeDoors(to state.Sandbox) error {
	all, err := d.root.All()
	if err != nil {
		return err
	}
	for _, guest := range all {
		if err := state.RemoveAll(filepath.Join(guest.Guests(), to.ID())); err != nil {
			return err
		}
	}
	return nil
}

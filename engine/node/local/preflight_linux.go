package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// Preflight implements node.Driver.
func (d *Driver) Preflight(ctx context.Context, deployment string, specs []node.Spec) error {
	var held []control.Listener
	if s := d.sandbox(deployment); state.Alive(s) {
		reply, _, err := control.Call(ctx, s.Socket(), control.Request{Op: control.OpStatus})
		if err != nil && state.Alive(s) {
			return err
		}
		held = reply.Listeners
	}
	var errs []error
	seen := map[string]bool{} // replicas of a component say the same
	for _, spec := range specs {
		if seen[spec.Labels.Component] {
			continue
		}
		seen[spec.Labels.Component] = true
		err := errors.Join(d.checkPorts(spec.Component, held), checkHostPaths(spec.Component))
		errs = append(errs, engine.At("components."+spec.Labels.Component, err))
	}
	return errors.Join(errs...)
}

func (d *Driver) checkPorts(c engine.Component, held []control.Listener) error {
	var errs []error
	for name, p := range c.Ports {
		if !p.Published() || *p.HostPort == 0 {
			continue
		}
		l := wanted(p, d.Address)
		if slices.Contains(held, l) {
			continue
		}
		_, file, err := listen(l)
		if _, ours := inTheWay(held, l, err); ours {
			continue // it makes room when the traffic is routed
		}
		if err != nil {
			errs = append(errs, engine.At("ports."+name, taken(l, err)))
			continue
		}
		file.Close()
	}
	return errors.Join(errs...)
}

func checkHostPaths(c engine.Component) error {
	var errs []error
	for path, h := range c.HostPaths {
		if _, err := os.Stat(h.Source); err != nil {
			e := engine.Invalid(fmt.Sprintf("host_paths.%s.source", path), "%s cannot be used: %v", h.Source, err)
			e.Hint = "create it on the node first"
			errs = append(errs, e)
		}
	}
	return errors.Join(errs...)
}

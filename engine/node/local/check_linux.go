package local

import (
	"errors"
	"fmt"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/process"
)

// Check implements node.Driver.
func (d *Driver) Check(c engine.Component, info node.Info) error {
	errs := []error{catalog.CheckRuntime(engine.NodeLocal, c)}
	refuse := func(wanted bool, field, reason, hint string) {
		if wanted {
			errs = append(errs, engine.Unsupported(field, reason, hint))
		}
	}
	if r := c.Resources; r != nil {
		const why, hint = "the engine's user may not make control groups here", "run the engine as root, or leave the limit out"
		refuse(r.CPU != nil && !info.LimitCPU, "resources.cpu", why, hint)
		refuse(r.Memory != "" && !info.LimitMemory, "resources.memory", why, hint)
		refuse(r.Pids != nil && !info.LimitPids, "resources.pids", why, hint)
	}
	for name, p := range c.Ports {
		refuse(p.Published() && *p.HostPort > 0 && *p.HostPort < info.MinPort, "ports."+name+".host_port",
			fmt.Sprintf("the engine's user may listen on ports from %d only", info.MinPort),
			"use a higher port, run the engine as root, or lower the sysctl net.ipv4.ip_unprivileged_port_start")
	}
	for name, l := range c.Ulimits {
		errs = append(errs, checkUlimit(name, l))
	}
	return errors.Join(errs...)
}

func checkUlimit(name string, l engine.Ulimit) error {
	highest, known := process.HardLimit(name)
	if !known {
		return engine.Unsupported("ulimits."+name, "Linux has no limit of that name", "")
	}
	if highest >= 0 && (l.Hard < 0 || l.Hard > highest) {
		return engine.Unsupported("ulimits."+name, fmt.Sprintf("the engine's user can give at most %d", highest),
			"raise the hard limit of the user that runs the engine")
	}
	return nil
}

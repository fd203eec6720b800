package docker

import (
	"errors"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Check implements node.Driver.
func (d *Driver) Check(c engine.Component, info node.Info) error {
	errs := []error{catalog.CheckRuntime(engine.NodeDocker, c)}
	refuse := func(wanted bool, field, reason, hint string) {
		if wanted {
			errs = append(errs, engine.Unsupported(field, reason, hint))
		}
	}
	if r := c.Resources; r != nil {
		const why, hint = "the kernel of the node cannot limit it", "leave the limit out, or use another node"
		refuse(r.CPU != nil && !info.LimitCPU, "resources.cpu", why, hint)
		refuse(r.Memory != "" && !info.LimitMemory, "resources.memory", why, hint)
		refuse(r.Pids != nil && !info.LimitPids, "resources.pids", why, hint)
	}
	if size, err := engine.ParseSize("", memoryOf(c), minMemory); err == nil {
		refuse(size < minMemory, "resources.memory", "Docker gives a container at least 6 MiB", "ask for 6Mi or more")
	}
	for name, p := range c.Ports {
		refuse(p.Published() && c.Replicas != nil && *c.Replicas > 1, "ports."+name+".host_port",
			"a Docker node publishes a port of one container only, and this component has several replicas",
			"set replicas = 1, or leave host_port out and lead to the component by a route")
	}
	for name, v := range c.Volumes {
		refuse(v.Snapshot != "" && (volumeDriver(v) != engine.DefaultVolumeDriver || len(v.DriverOptions) > 0), "volumes."+name+".snapshot",
			"only volumes on the node's own disk have snapshots", "leave it out, and use the snapshots of the volume's driver")
	}
	for name, v := range c.Volumes {
		refuse(v.Snapshot != "" && !info.Snapshots, "volumes."+name+".snapshot",
			"Podman copies volumes without whose files they are", "leave it out, and copy the data with a program of your own")
	}
	for name := range c.Labels {
		refuse(strings.HasPrefix(name, labelPrefix), "labels."+name, "labels that begin with "+labelPrefix+" are Slipway's own", "choose another name")
	}
	return errors.Join(append(errs, d.checkAllowed(c))...)
}

// minMemory is the least that Docker takes.
const minMemory = 6 << 20

func memoryOf(c engine.Component) string {
	if c.Resources == nil {
		return ""
	}
	return c.Resources.Memory
}

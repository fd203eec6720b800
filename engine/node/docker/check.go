package docker

import (
	"errors"
	"path"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Check implements node.Driver.
func (d *Driver) Check(c engine.Component, info node.Info) error {
	var errs []error
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
	for name, v := range c.Volumes {
		refuse(v.Size != "", "volumes."+name+".size", "Docker's local volumes share the node's disk and have no size of their own", "leave it out")
		refuse(v.Snapshot != "", "volumes."+name+".snapshot", "Docker volumes have no snapshots", "leave it out")
	}
	for name, p := range c.Ports {
		refuse(p.Published() && c.Replicas != nil && *c.Replicas > 1, "ports."+name+".host_port",
			"a Docker node publishes a port of one container only, and this component has several replicas",
			"set replicas = 1, or leave host_port out and put a proxy component in front")
	}
	for name := range c.Labels {
		refuse(strings.HasPrefix(name, labelPrefix), "labels."+name, "labels that begin with "+labelPrefix+" are Slipway's own", "choose another name")
	}
	for target, h := range c.HostPaths {
		if err := d.allowed(h.Source); err != nil {
			errs = append(errs, engine.At("host_paths."+target+".source", err))
		}
	}
	return errors.Join(errs...)
}

// minMemory is the least that Docker takes.
const minMemory = 6 << 20

func memoryOf(c engine.Component) string {
	if c.Resources == nil {
		return ""
	}
	return c.Resources.Memory
}

// allowed refuses a path of the node that no allowed directory holds.
func (d *Driver) allowed(source string) error {
	clean := path.Clean(source)
	for _, dir := range d.cfg.AllowedHostPaths {
		dir = path.Clean(dir)
		if clean == dir || dir == "/" || strings.HasPrefix(clean, dir+"/") {
			return nil
		}
	}
	return engine.Unsupported("", source+" is not within the node's allowed_host_paths",
		"add its directory to docker.allowed_host_paths of the slipway_node")
}

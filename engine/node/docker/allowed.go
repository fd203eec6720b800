package docker

import (
	"cmp"
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// checkAllowed refuses what leads to the node itself and is not within what the
// node allows.
func (d *Driver) checkAllowed(c engine.Component) error {
	var errs []error
	if !d.cfg.AllowPrivileged {
		errs = append(errs, ownsNode(c.Security))
	}
	for target, h := range c.HostPaths {
		errs = append(errs, engine.At("host_paths."+target+".source", d.pathAllowed(h.Source)))
	}
	for target, v := range c.Devices {
		errs = append(errs, engine.At("devices."+target+".source", d.deviceAllowed(v.Source)))
	}
	for name, v := range c.Volumes {
		if source, leads := boundBy(v); leads {
			errs = append(errs, engine.At("volumes."+name+".driver_options", d.pathAllowed(source)))
		}
	}
	return errors.Join(errs...)
}

// ownsNode refuses the rights whose holder owns the node.
func ownsNode(s *engine.Security) error {
	const allow = "set docker.allow_privileged = true of the slipway_node"
	if s == nil {
		return nil
	}
	var errs []error
	if s.Privileged {
		errs = append(errs, engine.Unsupported("security.privileged", "the node does not allow privileged components, which own it",
			"ask for single capabilities or devices instead, or "+allow))
	}
	if owning := catalog.OwningCapabilities(s.CapabilitiesAdd); len(owning) > 0 {
		errs = append(errs, engine.Unsupported("security.capabilities_add",
			"the node does not allow "+strings.Join(owning, ", ")+", with which a component owns it", "leave it out, or "+allow))
	}
	return errors.Join(errs...)
}

func (d *Driver) pathAllowed(source string) error {
	if within(source, d.cfg.AllowedHostPaths) {
		return nil
	}
	return engine.Unsupported("", source+" is not within the node's allowed_host_paths",
		"add its directory to docker.allowed_host_paths of the slipway_node")
}

func (d *Driver) deviceAllowed(source string) error {
	if within(source, d.cfg.AllowedDevices) {
		return nil
	}
	return engine.Unsupported("", source+" is not within the node's allowed_devices",
		"add it to docker.allowed_devices of the slipway_node")
}

// within reports whether one of the allowed paths is the source, or holds it.
func within(source string, allowed []string) bool {
	clean := path.Clean(source)
	return slices.ContainsFunc(allowed, func(dir string) bool {
		dir = path.Clean(dir)
		return clean == dir || dir == "/" || strings.HasPrefix(clean, dir+"/")
	})
}

// ofNoNode are the file systems that show nothing of the node's own.
var ofNoNode = []string{"tmpfs", "nfs", "nfs4", "cifs"}

// boundBy is the path of the node that a volume's options lead to, if they do:
// Docker's local driver hands type, device and o to mount(8). What binds a
// directory is as good as a host path. Of any other file system but those of no
// node nobody can tell, so all of the node must be allowed for it.
func boundBy(v engine.Volume) (source string, leads bool) {
	if cmp.Or(v.Driver, engine.DefaultVolumeDriver) != engine.DefaultVolumeDriver || len(v.DriverOptions) == 0 {
		return "", false
	}
	flags := strings.Split(v.DriverOptions["o"], ",")
	has := func(flag string) bool { return slices.Contains(flags, flag) }
	switch {
	case has("bind") || has("rbind"):
		return path.Join("/", v.DriverOptions["device"]), true // mount(8) is run in /
	case slices.Contains(ofNoNode, v.DriverOptions["type"]) && !has("remount") && !has("move"):
		return "", false
	case v.DriverOptions["type"] == "" && v.DriverOptions["device"] == "":
		return "", false // nothing is mounted
	}
	return "/", true
}

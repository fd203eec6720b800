package docker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/volume"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// tryNetworks looks for the networks that an instance joins.
func (d *Driver) tryNetworks(ctx context.Context, c engine.Component) error {
	var errs []error
	for i, name := range c.Networks {
		found, err := d.api.NetworkInspect(ctx, name, client.NetworkInspectOptions{})
		if err == nil && found.Network.Name == name { // an id is taken for a name too
			continue
		}
		if err != nil && !cerrdefs.IsNotFound(err) {
			errs = append(errs, d.failed("look for network "+name, err))
			continue
		}
		e := engine.Invalid("networks."+strconv.Itoa(i), "there is no network %q on the node", name)
		e.Hint = "create it on the node first, as docker network create " + name + " does"
		errs = append(errs, e)
	}
	return errors.Join(errs...)
}

// tryVolumes looks at the volumes that exist already: whoever keeps one, and
// how, was settled when it was made.
func (d *Driver) tryVolumes(ctx context.Context, s node.Spec) error {
	if len(s.Component.Volumes) == 0 {
		return nil
	}
	list, err := d.api.VolumeList(ctx, client.VolumeListOptions{Filters: d.owned(s.Key.Deployment)})
	if err != nil {
		return d.failed("list volumes", err)
	}
	var errs []error
	for _, v := range list.Items {
		component, name, _ := strings.Cut(v.Labels[labelVolume], "/")
		wanted, declares := s.Component.Volumes[name]
		if component == s.Labels.Component && declares {
			errs = append(errs, engine.At("volumes."+name, keptElsewhere(v, wanted)))
		}
	}
	return errors.Join(errs...)
}

// keptElsewhere refuses another driver, or other options, than the volume has.
func keptElsewhere(has volume.Volume, wanted engine.Volume) error {
	field := "driver_options"
	switch driver := volumeDriver(wanted); {
	case has.Driver != driver:
		field = "driver"
	case maps.Equal(has.Options, wanted.DriverOptions):
		return nil
	}
	e := engine.Conflict("the volume "+has.Name+" exists, and neither its driver nor its options can change",
		"choose another name for it, or remove it on the node once its data is elsewhere: docker volume rm "+has.Name)
	e.Field = field
	return e
}

// tryOptions asks the Docker Engine for what only the node can say: whether it
// has the kernel parameters, devices, GPUs and the log driver, and may give the
// ulimits. All at once first,
// one by one to tell which it was.
func (d *Driver) tryOptions(ctx context.Context, s node.Spec) error {
	all, err := optionProbes(s.Component)
	if err != nil || len(all) == 0 {
		return err
	}
	if err := d.knowsLogDriver(ctx, s.Component); err != nil {
		return err
	}
	whole := &container.HostConfig{NetworkMode: "none"}
	if err := optional(whole, s.Component); err != nil {
		return err
	}
	if logs, found := all["logging.driver"]; found {
		whole.LogConfig = logs.LogConfig
	}
	err = d.runProbe(ctx, s, whole)
	if neverRan(err) {
		return nil
	}
	for _, field := range slices.Sorted(maps.Keys(all)) {
		err := d.runProbe(ctx, s, all[field])
		if err == nil || neverRan(err) {
			continue
		}
		if client.IsErrConnectionFailed(err) || noAnswer(err) || ctx.Err() != nil {
			return d.failed("try "+field, err)
		}
		e := engine.Invalid(field, "the Docker Engine refuses it: %s", plain(err))
		e.Hint = "leave it out, or prepare the node for it"
		return e
	}
	return d.failed("try what "+s.Labels.Component+" needs", err)
}

// knowsLogDriver refuses one that the Docker Engine does not list: asked to use
// it, it would look for a plugin of that name for half a minute.
func (d *Driver) knowsLogDriver(ctx context.Context, c engine.Component) error {
	if c.Logging == nil || c.Logging.Driver == "" {
		return nil
	}
	answer, err := d.api.Info(ctx, client.InfoOptions{})
	if err != nil {
		return d.failed("ask for the log drivers", err)
	}
	known := answer.Info.Plugins.Log
	if len(known) == 0 || slices.ContainsFunc(known, func(name string) bool {
		return strings.TrimSuffix(name, ":latest") == strings.TrimSuffix(c.Logging.Driver, ":latest")
	}) {
		return nil
	}
	e := engine.Invalid("logging.driver", "the Docker Engine has no log driver %q", c.Logging.Driver)
	e.Hint = "use one that it has: " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
	return e
}

// neverRan reports whether nothing was wrong but that there is nothing to run.
func neverRan(err error) bool { return err != nil && strings.Contains(err.Error(), neverRun) }

// optionProbes are the single options, by the field that asks for each.
func optionProbes(c engine.Component) (map[string]*container.HostConfig, error) {
	parts := map[string]engine.Component{}
	if len(c.Sysctls) > 0 {
		parts["sysctls"] = engine.Component{Sysctls: c.Sysctls}
	}
	for name, limit := range c.Ulimits {
		parts["ulimits."+name] = engine.Component{Ulimits: map[string]engine.Ulimit{name: limit}}
	}
	for target, device := range c.Devices {
		parts["devices."+target+".source"] = engine.Component{Devices: map[string]engine.Device{target: device}}
	}
	if c.GPUs != "" {
		parts["gpus"] = engine.Component{GPUs: c.GPUs}
	}
	all := map[string]*container.HostConfig{}
	for field, part := range parts {
		all[field] = &container.HostConfig{NetworkMode: "none"}
		if err := optional(all[field], part); err != nil {
			return nil, err
		}
	}
	if c.Logging != nil && (c.Logging.Driver != "" || len(c.Logging.DriverOptions) > 0) {
		logs, err := logConfig(c.Logging)
		if err != nil {
			return nil, err
		}
		all["logging.driver"] = &container.HostConfig{NetworkMode: "none", LogConfig: logs}
	}
	return all, nil
}

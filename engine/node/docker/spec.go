package docker

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

const (
	defaultGrace    = 10 * time.Second
	defaultLogSize  = 10 << 20
	defaultLogFiles = 3
)

// creation is everything that Docker is asked for to make one container.
type creation struct {
	config *container.Config
	host   *container.HostConfig
	made   declared

	address netip.Addr // in its network, the zero one = Docker's choice at each start
}

// describe maps an instance to a container. run is the image as the Docker Engine
// knows it, chosen are the host ports by name.
func (d *Driver) describe(s node.Spec, run string, chosen map[string]int) (creation, error) {
	c := s.Component
	limits, err := resourcesOf(c)
	if err != nil {
		return creation{}, err
	}
	logs, err := logConfig(c.Logging)
	if err != nil {
		return creation{}, err
	}
	grace, err := engine.ParseDuration("stop_grace_period", c.StopGracePeriod, defaultGrace)
	if err != nil {
		return creation{}, err
	}
	shm, err := engine.ParseSize("shm_size", c.ShmSize, 0)
	if err != nil {
		return creation{}, err
	}
	tmpfs, err := tmpfsOf(c.Tmpfs)
	if err != nil {
		return creation{}, err
	}
	health, err := healthConfig(c.HealthChecks)
	if err != nil {
		return creation{}, err
	}
	mounts := d.mounts(s)
	made := declared{
		Image: s.Image, Run: run,
		Memory: limits.Memory, CPU: limits.NanoCPUs, Pids: pids(limits.PidsLimit),
		Env: fingerprints(s.Env), Labels: fingerprints(c.Labels), Mounts: mountPhrases(&container.HostConfig{Mounts: mounts}),
		Ports: publishedPorts(c.Ports), Chosen: chosen, Files: slices.Sorted(maps.Keys(c.Files)),
		Grace: grace.String(), Restart: restartPolicy(c.Restart), Networks: c.Networks,
	}
	seconds := int((grace + time.Second - 1) / time.Second)
	host := &container.HostConfig{
		NetworkMode:   container.NetworkMode(networkName(s.Key.Deployment)),
		PortBindings:  d.portBindings(made),
		RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyMode(made.Restart)},
		LogConfig:     logs, Mounts: mounts, Tmpfs: tmpfs, ShmSize: shm, Resources: limits, ExtraHosts: extraHosts(c.ExtraHosts),
	}
	if c.Init {
		host.Init = &c.Init
	}
	secure(host, c.Security)
	if err := optional(host, c); err != nil {
		return creation{}, err
	}
	made.Options = declaredOptions(c, host)
	config := &container.Config{
		Image: made.Run, Entrypoint: c.Command, Cmd: c.Args, Env: envList(s.Env), User: c.User, WorkingDir: c.WorkingDir,
		Hostname: c.Hostname, StopSignal: c.StopSignal, StopTimeout: &seconds, Healthcheck: health,
		ExposedPorts: exposed(c.Ports), Labels: maps.Clone(c.Labels),
	}
	if config.Labels == nil {
		config.Labels = map[string]string{}
	}
	maps.Copy(config.Labels, d.ours(s.Key.Deployment))
	config.Labels[labelComponent] = s.Labels.Component
	config.Labels[labelInstance] = s.Key.Name
	config.Labels[labelAbout] = aboutLabel(s.Labels)
	if s.Guest {
		config.Labels[labelGuest] = "true"
	}
	return creation{config: config, host: host, made: made}, nil
}

// options are the creation under a name, in its network.
func (c creation) options(name string, aliases ...string) client.ContainerCreateOptions {
	endpoint := placedAt(c.address)
	endpoint.Aliases = aliases
	c.made.Address = ""
	if c.address.IsValid() {
		c.made.Address = c.address.String()
	}
	c.config.Labels[labelDeclared] = c.made.String()
	return client.ContainerCreateOptions{
		Name: name, Config: c.config, HostConfig: c.host,
		NetworkingConfig: &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{string(c.host.NetworkMode): endpoint}},
	}
}

func resourcesOf(c engine.Component) (container.Resources, error) {
	var r container.Resources
	// None that is declared is none: Podman has one of its own.
	unlimited := int64(-1)
	r.PidsLimit = &unlimited
	if c.Resources == nil {
		return r, nil
	}
	memory, err := engine.ParseSize("resources.memory", c.Resources.Memory, 0)
	if err != nil {
		return r, err
	}
	r.Memory, r.MemorySwap = memory, memory // no swap beyond it: a limit is a limit
	if c.Resources.CPU != nil {
		r.NanoCPUs = int64(*c.Resources.CPU * 1e9)
	}
	if c.Resources.Pids != nil {
		limit := int64(*c.Resources.Pids)
		r.PidsLimit = &limit
	}
	return r, nil
}

func tmpfsOf(all map[string]engine.Tmpfs) (map[string]string, error) {
	mounts := map[string]string{}
	for path, t := range all {
		size, err := engine.ParseSize("tmpfs."+path+".size", t.Size, 0)
		if err != nil {
			return nil, err
		}
		mounts[path] = "rw,nosuid,nodev,mode=1777"
		if size > 0 {
			mounts[path] += fmt.Sprintf(",size=%d", size)
		}
	}
	return mounts, nil
}

func (d *Driver) mounts(s node.Spec) []mount.Mount {
	var all []mount.Mount
	for _, name := range slices.Sorted(maps.Keys(s.Component.Volumes)) {
		v := s.Component.Volumes[name]
		all = append(all, mount.Mount{Type: mount.TypeVolume, Source: volumeName(s.Key.Deployment, s.Labels.Component+"/"+name),
			Target: v.Path, ReadOnly: v.ReadOnly})
	}
	for _, path := range slices.Sorted(maps.Keys(s.Component.HostPaths)) {
		h := s.Component.HostPaths[path]
		all = append(all, mount.Mount{Type: mount.TypeBind, Source: h.Source, Target: path, ReadOnly: h.ReadOnly})
	}
	return all
}

func secure(host *container.HostConfig, s *engine.Security) {
	if s == nil {
		s = &engine.Security{}
	}
	if s.NoNewPrivileges == nil || *s.NoNewPrivileges {
		host.SecurityOpt = []string{"no-new-privileges:true"}
	}
	host.ReadonlyRootfs, host.Privileged = s.ReadOnlyRoot, s.Privileged
	host.CapAdd, host.CapDrop = s.CapabilitiesAdd, s.CapabilitiesDrop
}

// restartPolicy is Docker's word. It is not unless-stopped: Docker takes any signal
// for a stop, also its own when it starts again after it was killed, and then
// leaves the container down. What Stop stops stays so since Stop takes the policy.
func restartPolicy(policy string) string {
	switch cmp.Or(policy, "always") {
	case "always":
		return string(container.RestartPolicyAlways)
	case "on_failure":
		return string(container.RestartPolicyOnFailure)
	default:
		return string(container.RestartPolicyDisabled)
	}
}

// healthConfig gives Docker the first exec check to go on with after the rollout.
// A component that has checks of its own only does without the image's.
func healthConfig(checks map[string]engine.HealthCheck) (*container.HealthConfig, error) {
	if len(checks) == 0 {
		return nil, nil
	}
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		c := checks[name]
		if c.Exec == nil {
			continue
		}
		h := &container.HealthConfig{Test: append([]string{"CMD"}, c.Exec.Command...), Retries: cmp.Or(c.Threshold, 3)}
		var err error
		if h.Interval, err = engine.ParseDuration("health_checks."+name+".interval", c.Interval, 10*time.Second); err != nil {
			return nil, err
		}
		if h.Timeout, err = engine.ParseDuration("health_checks."+name+".timeout", c.Timeout, 5*time.Second); err != nil {
			return nil, err
		}
		h.StartPeriod, err = engine.ParseDuration("health_checks."+name+".start_period", c.StartPeriod, 0)
		return h, err
	}
	return &container.HealthConfig{Test: []string{"NONE"}}, nil
}

func exposed(ports map[string]engine.Port) network.PortSet {
	set := network.PortSet{}
	for _, p := range ports {
		set[portKey(p)] = struct{}{}
	}
	return set
}

func extraHosts(hosts map[string]string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(hosts)) {
		list = append(list, name+":"+hosts[name])
	}
	return list
}

func envList(env map[string]string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

package docker

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// neverRun is a program that no image has: a container of it cannot start, but
// the Docker Engine looks for its mounts and options before it finds out.
const neverRun = "/slipway-never-runs"

// Preflight implements node.Driver.
func (d *Driver) Preflight(ctx context.Context, deployment string, specs []node.Spec) error {
	if _, err := d.networkOf(ctx, deployment); err != nil {
		return err
	}
	list, err := d.everything(ctx, deployment)
	if err != nil {
		return err
	}
	all := wholeOf(list)
	d.noteAddresses(deployment, all)
	held := map[string]bool{}
	for _, c := range all {
		if c.State == container.StateRunning {
			made := declaredOf(c.Labels)
			for name, p := range made.Ports {
				held[portPhrase(p, made.Chosen[name])] = true
			}
		}
	}
	names, err := d.namesTaken(ctx, deployment)
	if err != nil {
		return err
	}
	var errs []error
	seen := map[string]bool{} // replicas of a component say the same
	for _, s := range specs {
		if seen[s.Labels.Component] {
			continue
		}
		seen[s.Labels.Component] = true
		err := names[containerName(s.Key)]
		if err == nil {
			err = d.tryOut(ctx, s, held)
		}
		errs = append(errs, engine.At("components."+s.Labels.Component, err))
	}
	return errors.Join(errs...)
}

// tryPorts asks for ports through a container that comes as far as to start: newer
// Engines take them then only. Where the node has no init for it, it comes less far.
func (d *Driver) tryPorts(ctx context.Context, s node.Spec, host *container.HostConfig) string {
	withInit := true
	host.Init = &withInit
	text := d.probe(ctx, s, host)
	if strings.Contains(text, "docker-init") || strings.Contains(text, "container-init") { // Podman's
		host.Init = nil
		text = d.probe(ctx, s, host)
	}
	return text
}

func portPhrase(p engine.Port, hostPort int) string {
	return fmt.Sprintf("%s %d", protocolOf(p), hostPort)
}

// tryOut asks the Docker Engine itself for the fixed ports and the host paths of
// an instance, through a container that cannot start.
func (d *Driver) tryOut(ctx context.Context, s node.Spec, held map[string]bool) error {
	wanted := map[string]engine.Port{}
	chosen := map[string]int{}
	for name, p := range publishedPorts(s.Component.Ports) {
		if *p.HostPort > 0 && !held[portPhrase(p, *p.HostPort)] {
			wanted[name], chosen[name] = p, *p.HostPort
		}
	}
	err := errors.Join(d.tryPaths(ctx, s), d.tryNetworks(ctx, s.Component), d.tryVolumes(ctx, s), d.tryOptions(ctx, s))
	if err != nil || len(wanted) == 0 {
		return err
	}
	network, remove, err := d.probeNetwork(ctx, s.Key.Deployment)
	if err != nil {
		return err
	}
	defer remove()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		one := declared{Ports: map[string]engine.Port{name: wanted[name]}, Chosen: chosen}
		host := &container.HostConfig{NetworkMode: container.NetworkMode(network), PortBindings: d.portBindings(one)}
		if text := d.tryPorts(ctx, s, host); portTaken(text) {
			errs = append(errs, d.taken(name, wanted[name], text))
		}
	}
	return errors.Join(errs...)
}

func (d *Driver) taken(name string, p engine.Port, text string) error {
	return &engine.Error{
		Class: engine.ErrConflict, Field: "ports." + name + ".host_port",
		Reason: fmt.Sprintf("%s %s is taken on the node (%s)", protocolOf(p), net.JoinHostPort(d.bindAddress(p).String(), strconv.Itoa(*p.HostPort)), text),
		Hint:   "choose another host_port, or 0 to have one chosen, or stop what holds it",
	}
}

// namesTaken are the names of somebody else's containers that the deployment's own
// could have, each with what to say of it.
func (d *Driver) namesTaken(ctx context.Context, deployment string) (map[string]error, error) {
	filter := make(client.Filters).Add("name", "^/?"+regexp.QuoteMeta(prefixOf(deployment))+"-")
	list, err := d.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: filter})
	if err != nil {
		return nil, d.failed("list containers", err)
	}
	taken := map[string]error{}
	for _, c := range list.Items {
		if !d.belongs(c.Labels, deployment) {
			taken[nameOf(c)] = foreign("container", nameOf(c), c.Labels)
		}
	}
	return taken, nil
}

// tryPaths looks for host paths on the node.
func (d *Driver) tryPaths(ctx context.Context, s node.Spec) error {
	var errs []error
	for _, path := range slices.Sorted(maps.Keys(s.Component.HostPaths)) {
		source := s.Component.HostPaths[path].Source
		missing, err := d.pathMissing(ctx, s, source)
		if err != nil {
			errs = append(errs, err)
		}
		if missing {
			e := engine.Invalid("host_paths."+path+".source", "%s is not on the node", source)
			e.Hint = "create it on the node first"
			errs = append(errs, e)
		}
	}
	return errors.Join(errs...)
}

// pathMissing asks for a path of the node through a container that is never started.
// Docker refuses one that binds what is not there. Podman makes a directory in its
// place instead, so there it is looked for below the root, which is always there.
func (d *Driver) pathMissing(ctx context.Context, s node.Spec, source string) (bool, error) {
	info, err := d.Info(ctx)
	if err != nil {
		return false, err
	}
	if !isPodman(info) {
		return strings.Contains(d.probeCreate(ctx, s, probing(source)), "bind source path does not exist"), nil
	}
	id, err := d.makeProbe(ctx, s, probing("/"))
	if err != nil {
		return false, d.failed("look for "+source, err)
	}
	defer d.removeProbe(ctx, id)
	_, err = d.api.ContainerStatPath(ctx, id, client.ContainerStatPathOptions{Path: probeTarget + source})
	if cerrdefs.IsNotFound(err) {
		return true, nil
	}
	return false, d.failed("look for "+source, err)
}

// probeTarget is where a probe has what it looks at.
const probeTarget = "/slipway-probe"

func probing(source string) *container.HostConfig {
	return &container.HostConfig{NetworkMode: "none",
		Mounts: []mount.Mount{{Type: mount.TypeBind, Source: source, Target: probeTarget, ReadOnly: true}}}
}

// probe starts a container that cannot run, and answers what the Docker Engine
// says to that.
func (d *Driver) probe(ctx context.Context, s node.Spec, host *container.HostConfig) string {
	if err := d.runProbe(ctx, s, host); err != nil {
		return plain(err)
	}
	return ""
}

func (d *Driver) runProbe(ctx context.Context, s node.Spec, host *container.HostConfig) error {
	id, err := d.makeProbe(ctx, s, host)
	if err != nil {
		return err
	}
	_, err = d.api.ContainerStart(ctx, id, client.ContainerStartOptions{})
	d.removeProbe(ctx, id)
	return err
}

func (d *Driver) probeCreate(ctx context.Context, s node.Spec, host *container.HostConfig) string {
	id, err := d.makeProbe(ctx, s, host)
	if err != nil {
		return plain(err)
	}
	d.removeProbe(ctx, id)
	return ""
}

func (d *Driver) makeProbe(ctx context.Context, s node.Spec, host *container.HostConfig) (id string, err error) {
	run, err := d.runName(ctx, s.Image)
	if err != nil {
		return "", err
	}
	if err := d.fillUlimits(ctx, s, host); err != nil {
		return "", err
	}
	made, err := d.api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config:     &container.Config{Image: run, Entrypoint: []string{neverRun}, Labels: d.ours(s.Key.Deployment)},
		HostConfig: host,
	})
	return made.ID, err
}

func (d *Driver) removeProbe(ctx context.Context, id string) {
	_, _ = d.api.ContainerRemove(context.WithoutCancel(ctx), id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
}

// probeNetwork is a bridge network to publish ports of: the deployment's own, or
// before there is one another for the moment.
func (d *Driver) probeNetwork(ctx context.Context, deployment string) (name string, remove func(), err error) {
	own, err := d.networkOf(ctx, deployment)
	if err != nil || own {
		return networkName(deployment), func() {}, err
	}
	made, err := d.api.NetworkCreate(ctx, networkName(deployment)+"-probe-"+strings.ToLower(rand.Text()[:8]),
		client.NetworkCreateOptions{Driver: "bridge", Labels: d.ours(deployment)})
	if err != nil {
		return "", nil, d.failed("make a network", err)
	}
	return made.ID, func() {
		_, err := d.api.NetworkRemove(context.WithoutCancel(ctx), made.ID, client.NetworkRemoveOptions{})
		if err != nil && !cerrdefs.IsNotFound(err) {
			return // RemoveDeployment finds it by its labels
		}
	}, nil
}

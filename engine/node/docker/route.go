package docker

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Route implements node.Driver. New instances get their component's name before
// old ones lose it, so that there always is one. Where nothing takes their place
// they keep it: they are stopped next, and until that is done they serve.
// Published ports are the containers' own, they need nothing done here.
func (d *Driver) Route(ctx context.Context, deployment string, routes []node.Route) (map[string]engine.Endpoint, error) {
	endpoints, err := d.route(ctx, deployment, routes)
	return endpoints, d.sure(deployment, err)
}

func (d *Driver) route(ctx context.Context, deployment string, routes []node.Route) (map[string]engine.Endpoint, error) {
	l := d.lock(deployment)
	l.Lock()
	defer l.Unlock()
	list, err := d.recall(ctx, deployment)
	if err != nil {
		return nil, err
	}
	all := wholeOf(list)
	receiving, replaced := map[string]bool{}, map[string]bool{}
	for _, r := range routes {
		replaced[r.Component] = len(r.Instances) > 0
		for _, name := range r.Instances {
			receiving[name] = true
		}
	}
	for _, give := range []bool{true, false} {
		for _, c := range all {
			if receiving[c.Labels[labelInstance]] != give || !give && !replaced[c.Labels[labelComponent]] {
				continue
			}
			if err := d.setName(ctx, c, give); err != nil {
				return nil, d.failed("route "+c.Labels[labelInstance], err)
			}
		}
	}
	labels := make([]map[string]string, 0, len(all))
	for _, c := range all {
		labels = append(labels, c.Labels)
	}
	return d.published(routes, labels), nil
}

// setName gives an instance its component's name, or takes it. One that
// publishes ports keeps the name until it is stopped, which follows: to take it
// would cut the connections that came through those ports. And so does one that
// guests may send to, until it is drained: while Docker takes it off its network
// and back nothing arrives there, and who connects then waits for a second.
func (d *Driver) setName(ctx context.Context, c container.Summary, give bool) error {
	if has, known := d.isNamed(c.ID); known && has == give {
		return nil
	}
	found, err := d.api.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
	if err != nil {
		return ignoreGone(err)
	}
	now := found.Container
	if d.hasName(now) == give {
		d.setNamed(c.ID, give)
		return nil
	}
	if !give && now.State.Running {
		keeps, err := d.visited(ctx, keyOf(now.Config.Labels))
		if keeps || len(declaredOf(now.Config.Labels).Ports) > 0 || err != nil {
			return err
		}
	}
	return d.reconnect(ctx, now, give)
}

// reconnect takes the container off its network and back, with or without the
// name. It keeps its address, and open connections go on.
func (d *Driver) reconnect(ctx context.Context, c container.InspectResponse, named bool) error {
	return d.rejoin(ctx, c, named, addressOf(c))
}

func (d *Driver) rejoin(ctx context.Context, c container.InspectResponse, named bool, address netip.Addr) error {
	name := networkName(c.Config.Labels[labelDeployment])
	endpoint := placedAt(address)
	if named {
		endpoint.Aliases = []string{c.Config.Labels[labelComponent]}
	}
	if had := c.NetworkSettings.Networks[name]; had != nil {
		_, err := d.api.NetworkDisconnect(ctx, name, client.NetworkDisconnectOptions{Container: c.ID, Force: true})
		if unplugged(err) && !named {
			return nil // nothing leads to it, and it is looked at again
		}
		if ignoreGone(err) != nil {
			return err
		}
	}
	err := d.connect(context.WithoutCancel(ctx), name, c.ID, endpoint)
	if err != nil && endpoint.IPAMConfig != nil && !cerrdefs.IsNotFound(err) {
		d.leaveHalf(ctx, name, c.ID)
		endpoint.IPAMConfig, endpoint.MacAddress = nil, nil // the address went to another container meanwhile
		err = d.connect(context.WithoutCancel(ctx), name, c.ID, endpoint)
	}
	if err == nil {
		d.setNamed(c.ID, named)
	}
	return err
}

// leaveHalf takes a container off a network that it could not join: for Podman it is
// in it all the same, but without an address.
func (d *Driver) leaveHalf(ctx context.Context, network, id string) {
	_, _ = d.api.NetworkDisconnect(context.WithoutCancel(ctx), network, client.NetworkDisconnectOptions{Container: id, Force: true}) // the next attempt tells
}

// connect waits where a container is just ending: until the Docker Engine has noticed,
// newer ones take it for running, but find no place of it in any network.
func (d *Driver) connect(ctx context.Context, name, id string, endpoint *network.EndpointSettings) error {
	for attempt := 1; ; attempt++ {
		_, err := d.api.NetworkConnect(ctx, name, client.NetworkConnectOptions{Container: id, EndpointConfig: endpoint})
		if err == nil || !strings.Contains(err.Error(), "network sandbox for container") || attempt == updateAttempts {
			return err
		}
		select {
		case <-d.cfg.After(updatePause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// unplugged reports whether Docker answered that the container has no place in
// the network at the moment, as one that ended and waits to be started again.
func unplugged(err error) bool {
	return err != nil && strings.Contains(err.Error(), "is not connected to")
}

// hasName reports whether the container has its component's name in its network.
func (d *Driver) hasName(c container.InspectResponse) bool {
	joined := c.NetworkSettings.Networks[networkName(c.Config.Labels[labelDeployment])]
	return joined != nil && slices.Contains(joined.Aliases, c.Config.Labels[labelComponent])
}

func (d *Driver) isNamed(id string) (has, known bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	has, known = d.named[id]
	return has, known
}

func (d *Driver) setNamed(id string, has bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.named[id] = has
}

// published are the endpoints of the routes, as their instances' labels have them.
func (d *Driver) published(routes []node.Route, all []map[string]string) map[string]engine.Endpoint {
	endpoints := map[string]engine.Endpoint{}
	for _, r := range routes {
		for _, labels := range all {
			if len(r.Ports) == 0 || labels[labelComponent] != r.Component || len(r.Instances) > 0 && !slices.Contains(r.Instances, labels[labelInstance]) {
				continue
			}
			made := declaredOf(labels)
			for name := range r.Ports {
				if p, ok := made.Ports[name]; ok {
					endpoints[r.Component+"/"+name] = d.endpoint(p, made.Chosen[name])
				}
			}
		}
	}
	return endpoints
}

// Routes implements node.Driver.
func (d *Driver) Routes(ctx context.Context, deployment string) ([]node.Route, map[string]engine.Endpoint, error) {
	seen, err := d.Observe(ctx, deployment)
	if err != nil {
		return nil, nil, err
	}
	table := seen.Tables[deployment]
	if table.Endpoints == nil {
		table.Endpoints = map[string]engine.Endpoint{}
	}
	return table.Routes, table.Endpoints, nil
}

// table is the traffic of one deployment. An instance with its component's name
// receives it; among running ones those that do not run receive none.
func (d *Driver) table(inspected []container.InspectResponse) node.Table {
	lines := map[string]*node.Route{}
	awake := map[string]bool{}
	for _, c := range inspected {
		awake[c.Config.Labels[labelComponent]] = awake[c.Config.Labels[labelComponent]] || c.State.Running
	}
	for _, c := range inspected {
		component := c.Config.Labels[labelComponent]
		if !d.hasName(c) || awake[component] && !c.State.Running {
			continue
		}
		if lines[component] == nil {
			lines[component] = &node.Route{Component: component, Ports: declaredOf(c.Config.Labels).Ports}
		}
		lines[component].Instances = append(lines[component].Instances, c.Config.Labels[labelInstance])
	}
	var routes []node.Route
	for _, component := range slices.Sorted(maps.Keys(lines)) {
		slices.SortFunc(lines[component].Instances, strings.Compare)
		routes = append(routes, *lines[component])
	}
	labels := make([]map[string]string, 0, len(inspected))
	for _, c := range inspected {
		labels = append(labels, c.Config.Labels)
	}
	return node.Table{Routes: routes, Endpoints: d.published(routes, labels)}
}

// addressOf is the address in its deployment's network that a container has, or
// will have when it runs, as far as that is settled.
func addressOf(c container.InspectResponse) netip.Addr {
	if now := addressIn(c); now.IsValid() {
		return now
	}
	return ownAddress(c.Config.Labels, c.NetworkSettings.Networks[networkName(c.Config.Labels[labelDeployment])])
}

// addressIn is the container's address in its deployment's network.
func addressIn(c container.InspectResponse) netip.Addr {
	if joined := c.NetworkSettings.Networks[networkName(c.Config.Labels[labelDeployment])]; joined != nil {
		return joined.IPAddress
	}
	return netip.Addr{}
}

package docker

import (
	"context"
	"net"
	"strconv"

	"github.com/moby/moby/api/types/container"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Dial implements node.Driver. On this machine it is the container's address, over
// ssh that address seen from there. A Docker Engine reached by TCP forwards
// nothing: of its containers only published ports can be reached.
func (d *Driver) Dial(ctx context.Context, key node.Key, protocol string, port int) (net.Conn, error) {
	c, err := d.find(ctx, key)
	if err != nil {
		return nil, err
	}
	address := addressIn(c)
	if !c.State.Running || !address.IsValid() {
		return nil, &engine.Error{Class: engine.ErrUnavailable, Reason: key.Name + " does not run"}
	}
	inside := net.JoinHostPort(address.String(), strconv.Itoa(port))
	switch {
	case d.reach.ssh != nil:
		return d.reach.ssh.dial(ctx, protocol, inside)
	case d.reach.onThisMachine() && reachesContainers:
		var dialer net.Dialer
		return dialer.DialContext(ctx, protocol, inside)
	}
	return d.dialPublished(ctx, c, protocol, port)
}

func (d *Driver) dialPublished(ctx context.Context, c container.InspectResponse, protocol string, port int) (net.Conn, error) {
	made := declaredOf(c.Config.Labels)
	for name, p := range made.Ports {
		if p.ContainerPort == port && protocolOf(p) == protocol {
			e := d.endpoint(p, made.Chosen[name])
			var dialer net.Dialer
			return dialer.DialContext(ctx, protocol, net.JoinHostPort(e.Address, strconv.Itoa(e.Port)))
		}
	}
	return nil, engine.Unsupported("", "port "+strconv.Itoa(port)+" cannot be reached from here: it is not published, and the Docker Engine is reached by TCP",
		"use an exec check, publish the port, or reach the node by ssh://")
}

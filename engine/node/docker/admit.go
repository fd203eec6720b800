package docker

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Admit implements node.Driver. The guest joins the deployment's network, where
// every instance has an address of its own for good; its own network stays the
// one that its published ports and its way out belong to (see networkName).
func (d *Driver) Admit(ctx context.Context, guest, deployment string, doors []node.Door) ([]string, error) {
	all, err := d.containers(ctx, d.owned(deployment))
	if err != nil {
		return nil, err
	}
	addresses := make([]string, len(doors))
	for n, door := range doors {
		i := slices.IndexFunc(all, func(c container.Summary) bool { return c.Labels[labelInstance] == door.Instance })
		if i < 0 {
			return nil, gone(node.Key{Deployment: deployment, Name: door.Instance})
		}
		addresses[n] = net.JoinHostPort(doorOf(all[i]), strconv.Itoa(door.Port))
	}
	if len(doors) == 0 {
		return addresses, nil
	}
	d.stay(deployment, doors)
	return addresses, d.letIn(ctx, guest, deployment)
}

// doorOf is where the deployment's network has the container: its address there,
// and where Docker chooses that anew at every start its name, which Docker resolves.
func doorOf(c container.Summary) string {
	if address := ownAddress(c.Labels, joinedOf(c, keyOf(c.Labels).Deployment)); address.IsValid() {
		return address.String()
	}
	return nameOf(c)
}

// joinedOf is the container's place in a deployment's network, nil without one.
func joinedOf(c container.Summary, deployment string) *network.EndpointSettings {
	if c.NetworkSettings == nil {
		return nil
	}
	return c.NetworkSettings.Networks[networkName(deployment)]
}

// guests lists the instances that are let in to other deployments.
func (d *Driver) guests(ctx context.Context) ([]container.Summary, error) {
	return d.labelled(ctx, d.owned("").Add("label", labelGuest))
}

// letIn joins the guest's instances to the deployment's network.
func (d *Driver) letIn(ctx context.Context, guest, deployment string) error {
	if err := d.ensureNetwork(ctx, deployment); err != nil {
		return err
	}
	l := d.lock(deployment)
	l.Lock()
	defer l.Unlock()
	guests, err := d.guests(ctx)
	if err != nil {
		return err
	}
	taken := map[netip.Addr]bool{}
	for _, c := range guests {
		if joined := joinedOf(c, deployment); joined != nil {
			taken[joined.IPAddress] = true
			if joined.IPAMConfig != nil {
				taken[joined.IPAMConfig.IPv4Address] = true
			}
		}
	}
	for _, c := range guests {
		if c.Labels[labelDeployment] != guest || joinedOf(c, deployment) != nil {
			continue
		}
		if err := d.joinAsGuest(ctx, c, deployment, taken); err != nil {
			return d.failed("join "+c.Labels[labelInstance]+" to network "+networkName(deployment), err)
		}
	}
	return nil
}

// joinAsGuest gives the container an address from the end of the network's range.
// One of Docker's choice could be that of an instance that does not run.
func (d *Driver) joinAsGuest(ctx context.Context, c container.Summary, deployment string, taken map[netip.Addr]bool) error {
	for attempt := 1; ; attempt++ {
		address := d.lastAddress(deployment, taken)
		taken[address] = true
		endpoint := placedAt(address)
		_, err := d.api.NetworkConnect(ctx, networkName(deployment), client.NetworkConnectOptions{Container: c.ID, EndpointConfig: endpoint})
		switch {
		case err == nil || says(err, alreadyJoined...):
			return nil
		case !addressTaken(err) || attempt == joinAttempts:
			return ignoreGone(err)
		}
		d.leaveHalf(ctx, networkName(deployment), c.ID)
	}
}

// alreadyJoined is how Docker and Podman say that a container is in a network.
var alreadyJoined = []string{"already exists in network", "network is already connected"}

// joinAttempts is how many addresses are tried for a guest.
const joinAttempts = 8

// dismiss takes guests off the deployment's network, which is to be removed:
// those that run keep it from going, and others could not start without it.
func (d *Driver) dismiss(ctx context.Context, deployment string) error {
	guests, err := d.guests(ctx)
	if err != nil {
		return err
	}
	d.mu.Lock()
	delete(d.hosts, deployment)
	d.mu.Unlock()
	for _, c := range guests {
		if c.Labels[labelDeployment] == deployment || joinedOf(c, deployment) == nil {
			continue
		}
		_, err := d.api.NetworkDisconnect(ctx, networkName(deployment), client.NetworkDisconnectOptions{Container: c.ID, Force: true})
		if ignoreGone(err) != nil && !unplugged(err) {
			return d.failed("take "+c.Labels[labelInstance]+" off network "+networkName(deployment), err)
		}
	}
	return nil
}

// stay notes that guests may send to the instances from now on.
func (d *Driver) stay(deployment string, doors []node.Door) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hosts[deployment] = true
	for _, door := range doors {
		delete(d.left, node.Key{Deployment: deployment, Name: door.Instance})
	}
}

// Drain implements node.Driver. A published port is the container's own: it goes
// with the instance, which gets its grace period to finish what it has begun. What
// comes from guests Docker does not tell; whoever asks has seen to it that no guest
// sends anything any more.
func (d *Driver) Drain(_ context.Context, key node.Key) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left[key] = true
	return nil
}

// visited reports whether a guest may be sending to the instance: one is in its
// network, and nobody said that the instance is drained.
func (d *Driver) visited(ctx context.Context, key node.Key) (bool, error) {
	d.mu.Lock()
	left := d.left[key]
	hosts, known := d.hosts[key.Deployment]
	d.mu.Unlock()
	if left || known {
		return hosts && !left, nil
	}
	guests, err := d.guests(ctx)
	if err != nil {
		return false, err
	}
	hosts = slices.ContainsFunc(guests, func(c container.Summary) bool {
		return c.Labels[labelDeployment] != key.Deployment && joinedOf(c, key.Deployment) != nil
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hosts[key.Deployment] = d.hosts[key.Deployment] || hosts
	return d.hosts[key.Deployment], nil
}

package docker

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// lock is what keeps two calls from making one deployment's network, or from
// changing its names, at once.
func (d *Driver) lock(deployment string) *sync.Mutex {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locks[deployment] == nil {
		d.locks[deployment] = &sync.Mutex{}
	}
	return d.locks[deployment]
}

// networkOf reports whether the deployment has its network. One of that name that
// is somebody else's is ErrConflict. Names of networks are not unique: of several
// that calls left which were cut off, one stays.
func (d *Driver) networkOf(ctx context.Context, deployment string) (bool, error) {
	name := networkName(deployment)
	list, err := d.api.NetworkList(ctx, client.NetworkListOptions{Filters: make(client.Filters).Add("name", name)})
	if err != nil {
		return false, d.failed("look for network "+name, err)
	}
	var own []string
	for _, n := range list.Items {
		if n.Name != name { // the filter also finds parts of names
			continue
		}
		if !d.belongs(n.Labels, deployment) {
			return false, engine.At("prefix", foreign("network", name, n.Labels))
		}
		own = append(own, n.ID)
		if n.Labels[labelAnyAddress] != "" || len(own) > 1 {
			n.IPAM.Config = nil
		}
		d.learnAddresses(deployment, n.IPAM.Config)
	}
	for i := 0; i < len(own) && len(own) > 1; {
		if _, err := d.api.NetworkRemove(ctx, own[i], client.NetworkRemoveOptions{}); err != nil {
			i++ // it is in use
			continue
		}
		own = append(own[:i], own[i+1:]...)
	}
	return len(own) > 0, nil
}

// networkTimeout bounds how long a network may take to be made.
const networkTimeout = 30 * time.Second

// ensureNetwork makes the deployment's network where there is none. It is looked
// for once in a process: a start that does not find it any more says so.
func (d *Driver) ensureNetwork(ctx context.Context, deployment string) error {
	l := d.lock(deployment)
	l.Lock()
	defer l.Unlock()
	if d.joined(deployment) {
		return nil
	}
	found, err := d.networkOf(ctx, deployment)
	if err == nil && !found {
		// Not cut off: what Docker makes after nobody waits for it would be one network more of that name.
		whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), networkTimeout)
		err = d.makeNetwork(whole, deployment)
		cancel()
	}
	if err == nil {
		d.setJoined(deployment, true)
	}
	return err
}

// joined reports whether this process found or made the deployment's network, and
// nothing since said that it is gone.
func (d *Driver) joined(deployment string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.networks[deployment]
}

func (d *Driver) setJoined(deployment string, there bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.networks[deployment] = there
}

// makeNetwork lets Docker choose the addresses, and makes the network once more
// with those given: only in such a network a container can keep its address while
// its names change.
func (d *Driver) makeNetwork(ctx context.Context, deployment string) error {
	name := networkName(deployment)
	options := client.NetworkCreateOptions{Driver: "bridge", Labels: d.ours(deployment)}
	options.Labels[labelAnyAddress] = "true"
	created, err := d.api.NetworkCreate(ctx, name, options)
	if err != nil {
		return d.failed("make network "+name, err)
	}
	chosen, err := d.api.NetworkInspect(ctx, created.ID, client.NetworkInspectOptions{})
	if err != nil || len(chosen.Network.IPAM.Config) == 0 {
		return d.failed("look at network "+name, err)
	}
	if _, err := d.api.NetworkRemove(ctx, created.ID, client.NetworkRemoveOptions{}); err != nil {
		return d.failed("make network "+name, err)
	}
	fixed := client.NetworkCreateOptions{Driver: "bridge", Labels: d.ours(deployment), IPAM: &network.IPAM{Config: []network.IPAMConfig{{
		Subnet: chosen.Network.IPAM.Config[0].Subnet, Gateway: chosen.Network.IPAM.Config[0].Gateway,
	}}}}
	if _, err = d.api.NetworkCreate(ctx, name, fixed); err == nil {
		d.learnAddresses(deployment, fixed.IPAM.Config)
		return nil
	}
	_, err = d.api.NetworkCreate(ctx, name, options) // another network took the addresses meanwhile
	return d.failed("make network "+name, err)
}

// join connects a container to the networks that it is in besides its deployment's.
func (d *Driver) join(ctx context.Context, id string, made creation) error {
	for _, name := range made.made.Networks {
		if name == string(made.host.NetworkMode) {
			continue
		}
		if _, err := d.api.NetworkConnect(ctx, name, client.NetworkConnectOptions{Container: id}); err != nil {
			return notInvalid(err)
		}
	}
	return nil
}

// removeNetwork removes the deployment's network.
func (d *Driver) removeNetwork(ctx context.Context, deployment string) error {
	d.setJoined(deployment, false)
	list, err := d.api.NetworkList(ctx, client.NetworkListOptions{Filters: d.owned(deployment)})
	if err != nil {
		return d.failed("list networks", err)
	}
	for _, n := range list.Items {
		if err := d.removeEmptied(ctx, deployment, n.ID); err != nil {
			e := engine.Conflict("the network "+n.Name+" cannot be removed: "+plain(err), "disconnect what else uses it: docker network inspect "+n.Name)
			e.Err = err
			return e
		}
	}
	return nil
}

// lingering is how often, each time after twice as long, a network is tried again
// that still counts containers which are gone.
const lingering = 10

// removeEmptied removes a network whose own containers were just removed. A busy
// Docker Engine takes a moment to take them off it, and may forget one of them.
func (d *Driver) removeEmptied(ctx context.Context, deployment, id string) error {
	wait := 25 * time.Millisecond
	for attempt := 1; ; attempt++ {
		_, err := d.api.NetworkRemove(ctx, id, client.NetworkRemoveOptions{})
		if ignoreGone(err) == nil || attempt == lingering || !strings.Contains(err.Error(), "active endpoints") || d.usedByOthers(ctx, id) {
			return ignoreGone(err)
		}
		if attempt > lingering/2 {
			d.dropForgotten(ctx, deployment, id)
		}
		select {
		case <-d.cfg.After(wait):
			wait *= 2
		case <-ctx.Done():
			return err
		}
	}
}

// dropForgotten takes the deployment's own containers, which are gone, off the network.
func (d *Driver) dropForgotten(ctx context.Context, deployment, id string) {
	found, err := d.api.NetworkInspect(ctx, id, client.NetworkInspectOptions{})
	if err != nil {
		return // the removal tells
	}
	for _, left := range found.Network.Containers {
		if strings.HasPrefix(left.Name, prefixOf(deployment)+"-") {
			_, _ = d.api.NetworkDisconnect(ctx, id, client.NetworkDisconnectOptions{Container: left.Name, Force: true}) // the removal tells
		}
	}
}

// usedByOthers reports whether a container that is there is in the network.
func (d *Driver) usedByOthers(ctx context.Context, id string) bool {
	list, err := d.api.ContainerList(ctx, client.ContainerListOptions{Filters: make(client.Filters).Add("network", id)})
	return err == nil && len(list.Items) > 0
}

package docker

import (
	"context"
	"sync"

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

// ensureNetwork makes the deployment's network. Docker chooses its addresses; the
// network is then made once more with those given, since only in such a network
// a container can keep its address while its names change.
func (d *Driver) ensureNetwork(ctx context.Context, deployment string) error {
	l := d.lock(deployment)
	l.Lock()
	defer l.Unlock()
	found, err := d.networkOf(ctx, deployment)
	if err != nil || found {
		return err
	}
	name := networkName(deployment)
	options := client.NetworkCreateOptions{Driver: "bridge", Labels: d.ours(deployment)}
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
	fixed := options
	fixed.IPAM = &network.IPAM{Config: []network.IPAMConfig{{
		Subnet: chosen.Network.IPAM.Config[0].Subnet, Gateway: chosen.Network.IPAM.Config[0].Gateway,
	}}}
	if _, err = d.api.NetworkCreate(ctx, name, fixed); err != nil { // another network took the addresses meanwhile
		_, err = d.api.NetworkCreate(ctx, name, options)
	}
	return d.failed("make network "+name, err)
}

// removeNetwork removes the deployment's network.
func (d *Driver) removeNetwork(ctx context.Context, deployment string) error {
	list, err := d.api.NetworkList(ctx, client.NetworkListOptions{Filters: d.owned(deployment)})
	if err != nil {
		return d.failed("list networks", err)
	}
	for _, n := range list.Items {
		_, err := d.api.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{})
		if ignoreGone(err) != nil {
			e := engine.Conflict("the network "+n.Name+" cannot be removed: "+plain(err), "disconnect what else uses it: docker network inspect "+n.Name)
			e.Err = err
			return e
		}
	}
	return nil
}

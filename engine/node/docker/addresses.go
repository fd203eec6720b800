package docker

import (
	"encoding/binary"
	"net/netip"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

// addressBook holds the addresses of a deployment's network that its instances have, running
// or not. Every instance gets one of its own for good: where Docker gave one to a
// container at each start, it could be one that another container, which kept its
// address through a change of its names, needs when the Docker Engine starts again.
type addressBook struct {
	subnet  netip.Prefix
	gateway netip.Addr
	taken   map[netip.Addr]bool
}

// learnAddresses notes the network's range; none = no container can be given its
// address there.
func (d *Driver) learnAddresses(deployment string, c []network.IPAMConfig) {
	d.mu.Lock()
	defer d.mu.Unlock()
	book := d.bookOf(deployment)
	book.subnet, book.gateway = netip.Prefix{}, netip.Addr{}
	if len(c) > 0 {
		book.subnet, book.gateway = c[0].Subnet, c[0].Gateway
	}
}

// noteAddresses forgets what was known to be taken and reads it from a list of all
// of the deployment's containers.
func (d *Driver) noteAddresses(deployment string, all []container.Summary) {
	d.mu.Lock()
	defer d.mu.Unlock()
	book := d.bookOf(deployment)
	clear(book.taken)
	for _, c := range all {
		if c.NetworkSettings == nil {
			continue
		}
		joined := c.NetworkSettings.Networks[networkName(deployment)]
		if joined == nil {
			continue
		}
		book.taken[joined.IPAddress] = true
		if joined.IPAMConfig != nil {
			book.taken[joined.IPAMConfig.IPv4Address] = true
		}
	}
}

// takeAddress picks an address that no instance has, the zero one where the
// network's range is not known or used up: then Docker chooses.
func (d *Driver) takeAddress(deployment string) netip.Addr {
	d.mu.Lock()
	defer d.mu.Unlock()
	book := d.bookOf(deployment)
	if !book.subnet.Addr().Is4() {
		return netip.Addr{}
	}
	for a := book.subnet.Masked().Addr().Next(); book.subnet.Contains(a.Next()); a = a.Next() { // the last is the broadcast's
		if a != book.gateway && !book.taken[a] {
			book.taken[a] = true
			return a
		}
	}
	return netip.Addr{}
}

// lastAddress is the last address of the network that is not in taken, the zero one
// where the network's range is not known: then Docker chooses.
func (d *Driver) lastAddress(deployment string, taken map[netip.Addr]bool) netip.Addr {
	d.mu.Lock()
	defer d.mu.Unlock()
	book := d.bookOf(deployment)
	if !book.subnet.Addr().Is4() {
		return netip.Addr{}
	}
	for a := lastOf(book.subnet).Prev(); book.subnet.Contains(a); a = a.Prev() {
		if a != book.gateway && !taken[a] && !book.taken[a] {
			return a
		}
	}
	return netip.Addr{}
}

// lastOf is the last address of an IPv4 range, which is the broadcast's.
func lastOf(p netip.Prefix) netip.Addr {
	bytes := p.Masked().Addr().As4()
	binary.BigEndian.PutUint32(bytes[:], binary.BigEndian.Uint32(bytes[:])|uint32(1<<(32-p.Bits())-1)) //nolint:gosec // 32 bits
	return netip.AddrFrom4(bytes)
}

// bookOf needs d.mu.
func (d *Driver) bookOf(deployment string) *addressBook {
	if d.addresses[deployment] == nil {
		d.addresses[deployment] = &addressBook{taken: map[netip.Addr]bool{}}
	}
	return d.addresses[deployment]
}

package docker

import (
	"context"
	"encoding/binary"
	"net/netip"
	"regexp"
	"strings"

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
		book.taken[ownAddress(c.Labels, joined)] = true
	}
}

// ownAddress is the address that a container has for good at its place in its
// deployment's network, the zero one where Docker chooses. Podman tells only where one
// is that runs: of others it is what they were made with.
func ownAddress(labels map[string]string, joined *network.EndpointSettings) netip.Addr {
	if joined == nil {
		return netip.Addr{}
	}
	if joined.IPAMConfig != nil && joined.IPAMConfig.IPv4Address.IsValid() {
		return joined.IPAMConfig.IPv4Address
	}
	made, err := netip.ParseAddr(declaredOf(labels).Address)
	if err == nil && joined.IPAddress.IsValid() {
		return joined.IPAddress
	}
	return made
}

// placedAt asks for the address in a network, Docker's choice where it is the zero one.
// With an address goes the hardware's, as Docker before 28 has it: who has just talked to
// a container goes on sending there, also to the next one at that address.
func placedAt(a netip.Addr) *network.EndpointSettings {
	if !a.Is4() {
		return &network.EndpointSettings{}
	}
	return &network.EndpointSettings{
		IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: a},
		MacAddress: append(network.HardwareAddr{0x02, 0x42}, a.AsSlice()...),
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

// networkGone is how Docker says so, by its name or id, and Podman.
var networkGone = regexp.MustCompile(`network (\S+ )?not found`)

// addressTaken reports whether somebody has a container's address. Of a host's port
// Docker says it with a small letter.
func addressTaken(err error) bool {
	return strings.Contains(err.Error(), "Address already in use") || says(err, "is already allocated to container")
}

// misplaced reports whether a container did not start because its network is gone,
// or is another one of that name, or because somebody has its address.
func misplaced(err error) bool {
	return addressTaken(err) || networkGone.MatchString(err.Error()) ||
		says(err, "of this network's subnets", "no configured subnet", "networks with user configured subnets")
}

// resettle puts a container at another address of its deployment's network, which is
// made where somebody took it away.
func (d *Driver) resettle(ctx context.Context, c container.InspectResponse) error {
	deployment := c.Config.Labels[labelDeployment]
	if err := d.ensureNetwork(ctx, deployment); err != nil {
		return err
	}
	return d.failed("give "+keyOf(c.Config.Labels).Name+" another address", d.rejoin(ctx, c, d.hasName(c), d.takeAddress(deployment)))
}

// bookOf needs d.mu.
func (d *Driver) bookOf(deployment string) *addressBook {
	if d.addresses[deployment] == nil {
		d.addresses[deployment] = &addressBook{taken: map[netip.Addr]bool{}}
	}
	return d.addresses[deployment]
}

package network

import (
	"net/netip"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// DefaultSubnet is the range of addresses of every deployment.
var DefaultSubnet = netip.MustParsePrefix("10.88.0.0/16")

// HostName resolves, inside instances, to an address that leads to the host's
// loopback.
const HostName = "host.slipway.internal"

// reserved is how many addresses at the start of the subnet are not for instances.
const reserved = 16

// layout is who has which address.
type layout struct {
	subnet  netip.Prefix
	gateway netip.Addr
	hub     netip.Addr
	host    netip.Addr
}

func newLayout(subnet netip.Prefix) (layout, error) {
	if !subnet.IsValid() {
		subnet = DefaultSubnet
	}
	subnet = subnet.Masked()
	if !subnet.Addr().Is4() || subnet.Bits() > 26 {
		return layout{}, engine.Invalid("subnet", "%q is not an IPv4 range of 64 addresses or more", subnet)
	}
	gateway := subnet.Addr().Next()
	hub := gateway.Next()
	return layout{subnet: subnet, gateway: gateway, hub: hub, host: hub.Next()}, nil
}

// pool hands out the addresses for instances: those never used first, then what
// has been free the longest. A client that still has an old address in mind
// must not meet a stranger there.
type pool struct {
	subnet netip.Prefix
	fresh  netip.Addr   // the next never used
	freed  []netip.Addr // oldest first
}

func newPool(subnet netip.Prefix) *pool {
	first := subnet.Addr()
	for range reserved {
		first = first.Next()
	}
	return &pool{subnet: subnet, fresh: first}
}

// take answers a free address, ErrConflict when all are in use.
func (p *pool) take() (netip.Addr, error) {
	if !p.isBroadcast(p.fresh) {
		addr := p.fresh
		p.fresh = addr.Next()
		return addr, nil
	}
	if len(p.freed) == 0 {
		return netip.Addr{}, engine.Conflict("every address of the deployment's network is in use", "lower the number of replicas")
	}
	addr := p.freed[0]
	p.freed = p.freed[1:]
	return addr, nil
}

func (p *pool) release(addr netip.Addr) { p.freed = append(p.freed, addr) }

// isBroadcast reports whether addr is the subnet's last.
func (p *pool) isBroadcast(addr netip.Addr) bool { return !p.subnet.Contains(addr.Next()) }

package network

import (
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/nested"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// guard keeps from the stack what is not the gateway's to answer: as it takes
// every address for its own, it would claim those of the instances in ARP, and
// answer pings in the name of hosts that may not exist.
type guard struct {
	nested.Endpoint
	layout
}

func guardGateway(link stack.LinkEndpoint, l layout) stack.LinkEndpoint {
	g := &guard{layout: l}
	g.Init(link, g)
	return g
}

// DeliverNetworkPacket implements stack.NetworkDispatcher.
func (g *guard) DeliverNetworkPacket(protocol tcpip.NetworkProtocolNumber, pkt *stack.PacketBuffer) {
	switch protocol {
	case arp.ProtocolNumber:
		if data, ok := pkt.Data().PullUp(header.ARPSize); ok && g.wantsARP(header.ARP(data)) {
			g.Endpoint.DeliverNetworkPacket(protocol, pkt)
		}
	case ipv4.ProtocolNumber:
		if data, ok := pkt.Data().PullUp(header.IPv4MinimumSize); ok && g.wantsIP(header.IPv4(data)) {
			g.Endpoint.DeliverNetworkPacket(protocol, pkt)
		}
	}
}

func (g *guard) wantsARP(h header.ARP) bool {
	return h.IsValid() && g.isOwn(goAddress(tcpip.AddrFromSlice(h.ProtocolAddressTarget())))
}

func (g *guard) wantsIP(h header.IPv4) bool {
	to := goAddress(h.DestinationAddress())
	if h.Protocol() == uint8(header.ICMPv4ProtocolNumber) || g.subnet.Contains(to) {
		return g.isOwn(to)
	}
	return g.subnet.Contains(goAddress(h.SourceAddress()))
}

func (g *guard) isOwn(a netip.Addr) bool { return a == g.gateway || a == g.host }

func stackAddress(a netip.Addr) tcpip.Address { return tcpip.AddrFrom4(a.As4()) }

func goAddress(a tcpip.Address) netip.Addr { return netip.AddrFrom4(a.As4()) }

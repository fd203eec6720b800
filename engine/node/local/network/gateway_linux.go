package network

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/channel"
	"gvisor.dev/gvisor/pkg/tcpip/link/ethernet"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

const (
	nic        = tcpip.NICID(1)
	gatewayMAC = tcpip.LinkAddress("\x02\x53\x4c\x57\x00\x01")
	sendQueue  = 1024 // frames the stack may be ahead of the uplink; more are lost
)

// gateway is the TCP/IP stack behind the gateway's address. It takes every
// address outside the subnet for its own, which is what lets it answer in the
// name of the whole world.
type gateway struct {
	*stack.Stack
	frames  *os.File
	link    *channel.Endpoint
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// startGateway starts the stack on the frames of the uplink, which it owns from
// now on, also when it fails.
func startGateway(frames *os.File, l layout) (*gateway, error) {
	g := &gateway{frames: frames, link: channel.New(sendQueue, mtu+header.EthernetMinimumSize, gatewayMAC)}
	g.link.LinkEPCapabilities |= stack.CapabilityRXChecksumOffload // the kernel of this very machine made them
	g.Stack = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, arp.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4},
	})
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	if err := configureStack(g.Stack, guardGateway(ethernet.New(g.link), l), l); err != nil {
		return nil, errors.Join(err, g.close())
	}
	g.running.Go(g.receive)
	g.running.Go(func() { g.send(ctx) })
	return g, nil
}

// receive brings frames from the uplink to the stack, until the uplink is closed.
func (g *gateway) receive() {
	frame := make([]byte, mtu+header.EthernetMinimumSize)
	for {
		n, err := g.frames.Read(frame)
		if err != nil {
			return
		}
		packet := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(frame[:n])})
		g.link.InjectInbound(0, packet) // the protocol stands in the frame
		packet.DecRef()
	}
}

// send brings frames from the stack to the uplink.
func (g *gateway) send(ctx context.Context) {
	for {
		packet := g.link.ReadContext(ctx)
		if packet == nil {
			return
		}
		frame := packet.ToView()
		_, _ = g.frames.Write(frame.AsSlice()) // a frame may be lost
		frame.Release()
		packet.DecRef()
	}
}

func (g *gateway) close() error {
	g.cancel()
	err := g.frames.Close()
	g.running.Wait()
	g.Destroy()
	return err
}

func configureStack(s *stack.Stack, link stack.LinkEndpoint, l layout) error {
	var failed []error
	check := func(what string, err tcpip.Error) {
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %s", what, err))
		}
	}
	sack := tcpip.TCPSACKEnabled(true)
	check("switch on selective acknowledgements", s.SetTransportProtocolOption(tcp.ProtocolNumber, &sack))
	// What a peer may send unasked must fit the socket's buffer, or is lost there.
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: 256 << 10, Max: 1 << 20}
	check("size the receive buffers", s.SetTransportProtocolOption(tcp.ProtocolNumber, &receive))
	send := tcpip.TCPSendBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: 256 << 10, Max: 1 << 20}
	check("size the send buffers", s.SetTransportProtocolOption(tcp.ProtocolNumber, &send))

	check("add the interface", s.CreateNIC(nic, link))
	check("add the gateway's address", s.AddProtocolAddress(nic, tcpip.ProtocolAddress{
		Protocol:          ipv4.ProtocolNumber,
		AddressWithPrefix: tcpip.AddressWithPrefix{Address: stackAddress(l.gateway), PrefixLen: l.subnet.Bits()},
	}, stack.AddressProperties{}))
	check("answer for other addresses", s.SetSpoofing(nic, true))
	check("take packets for other addresses", s.SetPromiscuousMode(nic, true))
	subnet := tcpip.AddressWithPrefix{Address: stackAddress(l.subnet.Addr()), PrefixLen: l.subnet.Bits()}.Subnet()
	s.SetRouteTable([]tcpip.Route{{Destination: subnet, NIC: nic}})
	return errors.Join(failed...)
}

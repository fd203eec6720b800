package network

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

const (
	natDialTimeout = 30 * time.Second
	natHandshakes  = 4096 // connections that may be dialled at once; more are retried by their clients
)

// nat dials from the host's namespace what instances connect to outside.
type nat struct {
	layout
	stack  *stack.Stack
	dialer net.Dialer
	idle   time.Duration // of UDP flows

	ctx    context.Context
	cancel context.CancelFunc
	mu     sync.Mutex // between cut and new flows
	flows  sync.WaitGroup
}

func startNAT(s *stack.Stack, l layout, idle time.Duration) *nat {
	n := &nat{layout: l, stack: s, idle: idle, dialer: net.Dialer{Timeout: natDialTimeout}}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	s.SetTransportProtocolHandler(tcp.ProtocolNumber, tcp.NewForwarder(s, 0, natHandshakes, n.openTCP).HandlePacket)
	s.SetTransportProtocolHandler(udp.ProtocolNumber, udp.NewForwarder(s, n.openUDP).HandlePacket)
	return n
}

// cut ends every flow and lets no new one begin.
func (n *nat) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cancel()
}

// wait waits for the end of every flow. A handshake under way is none yet: it
// may outlast a stack that has just ended, and then leads nowhere.
func (n *nat) wait() { n.flows.Wait() }

// begin counts a new flow, false after cut.
func (n *nat) begin() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ctx.Err() != nil {
		return false
	}
	n.flows.Add(1)
	return true
}

// outside is where what an instance sends to that address really goes; invalid
// for addresses that nobody outside has.
func (n *nat) outside(id stack.TransportEndpointID) netip.AddrPort {
	to := goAddress(id.LocalAddress)
	switch {
	case to == n.host:
		to = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case n.subnet.Contains(to), to.IsMulticast(), to.IsUnspecified(), to == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(to, id.LocalPort)
}

// openTCP dials before it completes the handshake, so that the client learns
// of a refusal as such. It has a goroutine of its own.
func (n *nat) openTCP(request *tcp.ForwarderRequest) {
	to := n.outside(request.ID())
	if !to.IsValid() {
		request.Complete(true)
		return
	}
	server, err := n.dialer.DialContext(n.ctx, "tcp4", to.String())
	if err != nil {
		request.Complete(true)
		return
	}
	var queue waiter.Queue
	endpoint, failed := request.CreateEndpoint(&queue)
	request.Complete(failed != nil)
	if failed != nil {
		server.Close()
		return
	}
	client := stackConn{gonet.NewTCPConn(&queue, endpoint), endpoint}
	if !n.begin() {
		abort(client, server)
		return
	}
	defer n.flows.Done()
	splice(n.ctx, client, server)
}

// openUDP opens a flow for a datagram that belongs to none yet.
func (n *nat) openUDP(request *udp.ForwarderRequest) {
	to := n.outside(request.ID())
	if !to.IsValid() || !n.begin() {
		return
	}
	var queue waiter.Queue
	endpoint, failed := request.CreateEndpoint(&queue)
	if failed != nil {
		n.flows.Done()
		return
	}
	client := gonet.NewUDPConn(&queue, endpoint)
	go func() {
		defer n.flows.Done()
		defer client.Close()
		server, err := n.dialer.DialContext(n.ctx, "udp4", to.String())
		if err != nil {
			return
		}
		relayDatagrams(n.ctx, client, server, n.idle)
	}()
}

// stackConn is a connection of the stack that can be reset.
type stackConn struct {
	*gonet.TCPConn
	endpoint tcpip.Endpoint
}

func (c stackConn) abort() { c.endpoint.Abort() }

package network

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/miekg/dns"
)

// startNameServer opens the server's sockets on the hub's thread; what it
// forwards is dialled from the host's namespace.
func startNameServer(hub *worker, l layout, table *names, resolvConf string) (*nameServer, error) {
	ctx, cancel := context.WithCancel(context.Background())
	handler := &resolver{layout: l, names: table, resolvConf: resolvConf, port: "53", ctx: ctx, forwarded: make(chan struct{}, maxForwarded)}
	address := netip.AddrPortFrom(l.hub, 53)
	var packets net.PacketConn
	var listener net.Listener
	err := hub.do(func() (err error) {
		if packets, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(address)); err != nil {
			return err
		}
		if listener, err = net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(address)); err != nil {
			packets.Close()
		}
		return err
	})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("open the name server: %w", err)
	}
	s := &nameServer{cancel: cancel, servers: []*dns.Server{{PacketConn: packets, Handler: handler}, {Listener: listener, Handler: handler}}}
	s.serve()
	return s, nil
}

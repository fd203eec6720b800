package network

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
)

// Options of a network. The zero value is ready for use.
type Options struct {
	Subnet     netip.Prefix  // invalid = DefaultSubnet
	ResolvConf string        // the host's resolver configuration, read at every question; "" = /etc/resolv.conf
	UDPIdle    time.Duration // how long an outbound UDP flow may be silent; 0 = DefaultUDPIdle
}

// Network is the network of one deployment. All methods are safe for
// concurrent use.
type Network struct {
	layout
	hub    *worker
	bridge int // link index in the hub
	outlet *gateway
	nat    *nat
	names  *names
	server *nameServer

	mu        sync.Mutex // of what follows, held while instances are wired
	pool      *pool
	endpoints map[string]*Endpoint
	links     int // made so far; numbers their names
	closed    bool
}

// New makes the network. The calling process must have CAP_NET_ADMIN and
// CAP_NET_RAW in its user namespace, and be in the host's network namespace:
// outbound connections start there.
func New(opts Options) (_ *Network, err error) {
	l, err := newLayout(opts.Subnet)
	if err != nil {
		return nil, err
	}
	n := &Network{layout: l, names: &names{}, pool: newPool(l.subnet), endpoints: map[string]*Endpoint{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	if n.hub, err = newWorker(); err != nil {
		return nil, err
	}
	var frames *os.File
	if err := n.hub.do(func() (err error) { frames, err = n.buildHub(); return err }); err != nil {
		return nil, err
	}
	if err := awaitCarrier(n.hub, uplinkPort, uplinkEnd, bridgeName); err != nil {
		return nil, errors.Join(err, frames.Close())
	}
	if n.outlet, err = startGateway(frames, l); err != nil {
		return nil, err
	}
	n.nat = startNAT(n.outlet.Stack, l, orDefault(opts.UDPIdle, DefaultUDPIdle))
	n.server, err = startNameServer(n.hub, l, n.names, orDefault(opts.ResolvConf, "/etc/resolv.conf"))
	if err != nil {
		return nil, err
	}
	return n, nil
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// buildHub makes the bridge and the uplink; it runs on the hub's thread, and answers the
// frames of the uplink.
func (n *Network) buildHub() (*os.File, error) {
	if err := disableIPv6(); err != nil {
		return nil, fmt.Errorf("switch IPv6 off: %w", err)
	}
	if err := setUp("lo"); err != nil {
		return nil, err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = bridgeName, mtu
	attrs.HardwareAddr = []byte{0x02, 'S', 'L', 'W', 0, 2} // else it changes as instances come and go
	bridge := &netlink.Bridge{LinkAttrs: attrs}
	if err := netlink.LinkAdd(bridge); err != nil {
		return nil, fmt.Errorf("make the bridge: %w", err)
	}
	n.bridge = bridge.Index
	address := &netlink.Addr{IPNet: ipNet(n.hubPrefix())}
	if err := netlink.AddrAdd(bridge, address); err != nil {
		return nil, fmt.Errorf("give the bridge its address: %w", err)
	}
	if err := netlink.LinkSetUp(bridge); err != nil {
		return nil, fmt.Errorf("set the bridge up: %w", err)
	}
	return openUplink(n.bridge)
}

func (l layout) hubPrefix() netip.Prefix { return netip.PrefixFrom(l.hub, l.subnet.Bits()) }

// Host is the address that leads to the host's loopback; HostName resolves to it.
func (n *Network) Host() netip.Addr { return n.host }

// ResolvConf is the content of /etc/resolv.conf in the instances.
func (n *Network) ResolvConf() string {
	return fmt.Sprintf("nameserver %s\noptions ndots:0 timeout:3 attempts:2\n", n.layout.hub)
}

// SetNames says, for the whole deployment at once, which addresses each name
// has from now on. A name without addresses exists, and leads nowhere.
func (n *Network) SetNames(table map[string][]netip.Addr) { n.names.set(table) }

// Close cuts every connection and removes the network. Processes that still run
// in an instance's namespace are alone there afterwards.
func (n *Network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil
	}
	n.closed = true
	var failed []error
	if n.server != nil {
		failed = append(failed, n.server.close())
	}
	failed = append(failed, n.closeGateway())
	for _, ep := range n.endpoints {
		failed = append(failed, ep.FD.Close())
	}
	if n.hub != nil { // the links go with the hub's namespace
		n.hub.close()
	}
	return errors.Join(failed...)
}

func (n *Network) closeGateway() error {
	if n.outlet == nil {
		return nil
	}
	if n.nat != nil {
		n.nat.cut()
		defer n.nat.wait()
	}
	return n.outlet.close()
}

// errClosed is what a closed network answers.
var errClosed = fmt.Errorf("the network is closed: %w", os.ErrClosed)

package network

import (
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Endpoint is an instance's place in the network. IP and FD stay the same as
// long as it is attached.
type Endpoint struct {
	Name string
	IP   netip.Addr
	FD   *os.File // the network namespace; a thread enters it with setns(CLONE_NEWNET). Closed by Detach

	link string // the hub's end of the instance's veth pair
}

// Do runs f on a thread in the instance's network namespace and waits for it.
// The thread ends afterwards: a process that f starts must not ask for a signal
// at its parent's death, which is the thread's.
func (ep *Endpoint) Do(f func() error) error {
	result := make(chan error, 1)
	onThread(func() {
		if err := unix.Setns(int(ep.FD.Fd()), unix.CLONE_NEWNET); err != nil {
			result <- fmt.Errorf("enter the network of %s: %w", ep.Name, err)
			return
		}
		result <- f()
	})
	return <-result
}

// Attach makes a network namespace with a loopback and eth0, which is joined to
// the deployment, and answers where it is. Attaching a name again answers what
// it has. It is ErrConflict when every address is taken.
func (n *Network) Attach(name string) (*Endpoint, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, errClosed
	}
	if known, ok := n.endpoints[name]; ok {
		return known, nil
	}
	ip, err := n.pool.take()
	if err != nil {
		return nil, err
	}
	n.links++
	ep := &Endpoint{Name: name, IP: ip, link: fmt.Sprintf("port%d", n.links)}
	if err := n.wire(ep); err != nil {
		n.pool.release(ip)
		return nil, fmt.Errorf("attach %s to the network: %w", name, err)
	}
	n.endpoints[name] = ep
	return ep, nil
}

// wire makes the namespace of an endpoint and its link to the hub.
func (n *Network) wire(ep *Endpoint) (err error) {
	inside, err := newWorker()
	if err != nil {
		return err
	}
	defer inside.close()
	if ep.FD, err = inside.namespace(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.unwire(ep))
		}
	}()
	if err := inside.do(prepareInstance); err != nil {
		return err
	}
	if err := n.hub.do(func() error { return joinBridge(ep, n.bridge) }); err != nil {
		return err
	}
	if err := inside.do(func() error { return n.configureInstance(ep.IP) }); err != nil {
		return err
	}
	return errors.Join(awaitCarrier(inside, "eth0"), awaitCarrier(n.hub, ep.link))
}

// prepareInstance runs in the instance's namespace, before it has a link.
func prepareInstance() error {
	if err := disableIPv6(); err != nil {
		return fmt.Errorf("switch IPv6 off: %w", err)
	}
	if err := sysctl("ipv4/ip_unprivileged_port_start", "0"); err != nil {
		return fmt.Errorf("open the low ports: %w", err)
	}
	if err := allowPing(); err != nil {
		return fmt.Errorf("allow ping: %w", err)
	}
	return setUp("lo")
}

// joinBridge runs on the hub's thread.
func joinBridge(ep *Endpoint, bridge int) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.MasterIndex = ep.link, mtu, bridge
	pair := netlink.NewVeth(attrs)
	pair.PeerName, pair.PeerMTU = "eth0", mtu
	pair.PeerNamespace = netlink.NsFd(int(ep.FD.Fd()))
	if err := netlink.LinkAdd(pair); err != nil {
		return fmt.Errorf("make its link: %w", err)
	}
	if err := netlink.LinkSetUp(pair); err != nil {
		return fmt.Errorf("set its link up: %w", err)
	}
	return nil
}

// configureInstance runs in the instance's namespace, once it has its link.
func (n *Network) configureInstance(ip netip.Addr) error {
	eth0, err := netlink.LinkByName("eth0")
	if err != nil {
		return fmt.Errorf("find eth0: %w", err)
	}
	if err := netlink.AddrAdd(eth0, &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(ip, n.subnet.Bits()))}); err != nil {
		return fmt.Errorf("give eth0 its address: %w", err)
	}
	if err := netlink.LinkSetUp(eth0); err != nil {
		return fmt.Errorf("set eth0 up: %w", err)
	}
	if err := netlink.RouteAdd(&netlink.Route{LinkIndex: eth0.Attrs().Index, Gw: n.gateway.AsSlice()}); err != nil {
		return fmt.Errorf("add the default route: %w", err)
	}
	return nil
}

// Detach cuts the instance off and frees its address; a name that is not
// attached is fine.
func (n *Network) Detach(name string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil
	}
	return n.detach(name)
}

func (n *Network) detach(name string) error {
	ep, ok := n.endpoints[name]
	if !ok {
		return nil
	}
	if err := n.unwire(ep); err != nil {
		return fmt.Errorf("detach %s from the network: %w", name, err)
	}
	delete(n.endpoints, name)
	n.pool.release(ep.IP)
	return nil
}

// unwire removes the link, which is gone when the namespace is, and lets go of
// the namespace.
func (n *Network) unwire(ep *Endpoint) error {
	err := n.hub.do(func() error {
		link, err := netlink.LinkByName(ep.link)
		if err == nil {
			err = netlink.LinkDel(link)
		}
		if isAbsent(err) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	return ep.FD.Close()
}

package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	carrierPoll    = time.Millisecond
	carrierTimeout = 2 * time.Second
)

// awaitCarrier waits until the kernel has noticed that the interface's peer is
// up. It does so in the background, and what is sent before is lost: the first
// ARP question, for which an instance's first connection then waits a second.
// Past the timeout that is the lesser evil. Only links in the thread's
// namespace can be named; the thread is not kept while waiting.
func awaitCarrier(thread *worker, names ...string) error {
	poll := time.NewTicker(carrierPoll)
	defer poll.Stop()
	for range carrierTimeout / carrierPoll {
		up := true
		err := thread.do(func() (err error) {
			up, err = areUp(names)
			return err
		})
		if up || err != nil {
			return err
		}
		<-poll.C
	}
	return nil
}

// areUp asks the kernel, which is what makes recent ones notice at once.
func areUp(names []string) (bool, error) {
	all := true
	for _, name := range names {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return false, fmt.Errorf("find %s: %w", name, err)
		}
		all = all && link.Attrs().OperState == netlink.OperUp
	}
	return all, nil
}

func setUp(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// isAbsent reports whether err says that a link is gone already.
func isAbsent(err error) bool {
	var unknown netlink.LinkNotFoundError
	return errors.As(err, &unknown) || errors.Is(err, unix.ENODEV)
}

package network

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// mtu of every interface. Nothing here crosses a wire, so frames are as long
// as an IP packet can be, less the bridge's overhead.
const mtu = 65520

const (
	bridgeName = "hub"
	uplinkPort = "uplink"  // in the bridge
	uplinkEnd  = "gateway" // where the stack in this process reads and writes
)

// socketBuffer is asked for on both sides of the uplink, in bytes; an ordinary
// user gets at most net.core.rmem_max.
const socketBuffer = 4 << 20

// openUplink joins a veth pair to the bridge and opens its far end for raw
// frames. It runs on the hub's thread.
func openUplink(bridge int) (*os.File, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU, attrs.MasterIndex = uplinkPort, mtu, bridge
	pair := netlink.NewVeth(attrs)
	pair.PeerName, pair.PeerMTU = uplinkEnd, mtu
	if err := netlink.LinkAdd(pair); err != nil {
		return nil, fmt.Errorf("make the uplink: %w", err)
	}
	end, err := netlink.LinkByName(uplinkEnd)
	if err != nil {
		return nil, fmt.Errorf("find the uplink: %w", err)
	}
	// The kernel must not answer for the hub's address on this side too.
	if err := netlink.LinkSetARPOff(end); err != nil {
		return nil, fmt.Errorf("switch ARP off on the uplink: %w", err)
	}
	if err := noChecksumOffload(uplinkPort); err != nil {
		return nil, fmt.Errorf("switch offloading off on the uplink: %w", err)
	}
	for _, link := range []netlink.Link{pair, end} {
		if err := netlink.LinkSetUp(link); err != nil {
			return nil, fmt.Errorf("set the uplink up: %w", err)
		}
	}
	return frameSocket(end.Attrs().Index)
}

// frameSocket opens a socket for the ethernet frames of one interface.
func frameSocket(index int) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open a packet socket: %w", err)
	}
	for option, forced := range map[int]int{unix.SO_RCVBUF: unix.SO_RCVBUFFORCE, unix.SO_SNDBUF: unix.SO_SNDBUFFORCE} {
		if unix.SetsockoptInt(fd, unix.SOL_SOCKET, forced, socketBuffer) != nil {
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, socketBuffer) // what the host allows has to do
		}
	}
	address := &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: index}
	if err := unix.Bind(fd, address); err != nil {
		return nil, errors.Join(fmt.Errorf("bind a packet socket: %w", err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), "uplink"), nil
}

func networkOrder(v uint16) uint16 { return v<<8 | v>>8 }

// noChecksumOffload makes the kernel finish what leaves by the interface:
// real checksums, and no segments that wait to be cut, which the reader of a
// packet socket would take for one datagram.
func noChecksumOffload(name string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	value := struct{ command, data uint32 }{unix.ETHTOOL_STXCSUM, 0}
	request := struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}{data: unsafe.Pointer(&value)}
	copy(request.name[:unix.IFNAMSIZ-1], name)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return errno
	}
	return nil
}

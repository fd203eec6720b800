package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Dial connects from the hub to an address inside the deployment, such as an
// instance's; network is tcp or udp. Errors are *net.OpError, with the kernel's
// errno inside.
func (n *Network) Dial(ctx context.Context, addr netip.AddrPort, network string) (net.Conn, error) {
	file, err := n.DialFile(ctx, addr, network)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return net.FileConn(file)
}

// DialFile is Dial that answers the connected socket itself, non-blocking, fit
// to be passed to another process.
func (n *Network) DialFile(ctx context.Context, addr netip.AddrPort, network string) (*os.File, error) {
	file, err := n.dialFile(ctx, addr, network)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: &net.TCPAddr{IP: addr.Addr().AsSlice(), Port: int(addr.Port())}, Err: err}
	}
	return file, nil
}

func (n *Network) dialFile(ctx context.Context, addr netip.AddrPort, network string) (*os.File, error) {
	kinds := map[string]int{"tcp": unix.SOCK_STREAM, "udp": unix.SOCK_DGRAM}
	kind, known := kinds[network]
	if !known {
		return nil, net.UnknownNetworkError(network)
	}
	if !addr.Addr().Is4() {
		return nil, &net.AddrError{Err: "not an IPv4 address", Addr: addr.String()}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var file *os.File
	err := n.hub.do(func() (err error) {
		file, err = beginConnect(kind, addr)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := awaitConnect(ctx, file); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// beginConnect starts a connection from the calling thread's namespace without
// waiting for it: others need the thread.
func beginConnect(kind int, addr netip.AddrPort) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()})
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		unix.Close(fd)
		return nil, os.NewSyscallError("connect", err)
	}
	return os.NewFile(uintptr(fd), fmt.Sprintf("dial %s", addr)), nil
}

// awaitConnect waits until the socket is connected, or ctx ends.
func awaitConnect(ctx context.Context, file *os.File) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	past := time.Unix(1, 0)
	stop := context.AfterFunc(ctx, func() { _ = file.SetWriteDeadline(past) })
	defer stop()
	var failed error
	err = raw.Write(func(fd uintptr) (done bool) {
		done, failed = isConnected(int(fd))
		return done
	})
	switch {
	case ctx.Err() != nil && (err != nil || failed != nil):
		return ctx.Err()
	case err != nil:
		return err
	default:
		return failed
	}
}

// isConnected reports whether the attempt has ended, and how.
func isConnected(fd int) (bool, error) {
	errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return true, os.NewSyscallError("getsockopt", err)
	}
	if errno != 0 {
		return true, os.NewSyscallError("connect", unix.Errno(errno))
	}
	_, err = unix.Getpeername(fd)
	if errors.Is(err, unix.ENOTCONN) {
		return false, nil
	}
	return true, os.NewSyscallError("getpeername", err)
}

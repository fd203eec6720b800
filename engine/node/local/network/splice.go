package network

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// copyBuffer is the size of one read where the kernel cannot splice, in bytes.
const copyBuffer = 128 << 10

// largestDatagram is the longest payload of a UDP datagram over IPv4.
const largestDatagram = 65507

// splice carries bytes both ways until both sides have ended, one is broken, or
// ctx ends; then both are closed. The end of one direction is passed on as
// such, a reset as a reset: a cut answer must not look like a complete one.
func splice(ctx context.Context, a, b net.Conn) {
	defer a.Close()
	defer b.Close()
	stop := context.AfterFunc(ctx, func() { abort(a, b) })
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { pipe(a, b) })
	both.Go(func() { pipe(b, a) })
	both.Wait()
}

// pipe copies one direction.
func pipe(to, from net.Conn) {
	if err := copyStream(to, from); err != nil {
		abort(to, from)
		return
	}
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the peer may be gone already
	}
}

func copyStream(to, from net.Conn) error {
	if ofKernel(to) && ofKernel(from) {
		_, err := io.Copy(to, from)
		return err
	}
	_, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, copyBuffer))
	return err
}

// ofKernel reports whether the kernel itself can carry the stream.
func ofKernel(c net.Conn) bool {
	switch c.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}

// abort closes connections so that their peers see a reset.
func abort(conns ...net.Conn) {
	for _, c := range conns {
		switch c := c.(type) {
		case interface{ abort() }:
			c.abort()
		case *net.TCPConn:
			_ = c.SetLinger(0) // fails on a closed connection only
		}
		c.Close()
	}
}

// relayDatagrams carries datagrams both ways until none came for idle, or ctx
// ends; then both sides are closed.
func relayDatagrams(ctx context.Context, a, b net.Conn, idle time.Duration) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { a.Close(); b.Close() })
	defer stop()
	silence := time.AfterFunc(idle, cancel)
	defer silence.Stop()
	pump := func(to, from net.Conn) {
		defer cancel()
		buffer := make([]byte, largestDatagram)
		for {
			n, err := from.Read(buffer)
			switch {
			case err == nil:
				silence.Reset(idle)
				_, _ = to.Write(buffer[:n]) // a datagram may be lost
			case !isRefusal(err):
				return
			}
		}
	}
	var both sync.WaitGroup
	both.Go(func() { pump(a, b) })
	both.Go(func() { pump(b, a) })
	both.Wait()
}

// isRefusal reports whether a read of a datagram socket only tells that an
// earlier datagram found nobody.
func isRefusal(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH)
}

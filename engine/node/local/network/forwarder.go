package network

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pires/go-proxyproto"
)

// DialFunc connects to an instance; network is tcp or udp. Network.Dial is one.
type DialFunc func(ctx context.Context, addr netip.AddrPort, network string) (net.Conn, error)

// backendTimeout is how long one backend has to take a connection before the
// next is tried; they are all on this machine.
const backendTimeout = 3 * time.Second

// acceptPause is how long accepting rests when the process is out of descriptors.
const acceptPause = 20 * time.Millisecond

// Forwarder carries the traffic of one published port to the instances in its
// route. All methods are safe for concurrent use.
type Forwarder struct {
	table   *table
	dial    DialFunc
	socket  io.Closer
	retired func() // called when backends changed, or nil

	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func newForwarder(socket io.Closer, dial DialFunc) *Forwarder {
	f := &Forwarder{table: newTable(), dial: dial, socket: socket}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// NewTCPForwarder accepts connections of l, which it owns from now on, and
// carries each to a backend in turn, passing over those that refuse. Without a
// backend a connection is closed at once.
func NewTCPForwarder(l net.Listener, dial DialFunc) *Forwarder {
	f := newForwarder(l, dial)
	f.Accept(l)
	return f
}

// NewForwarder is NewTCPForwarder without a listener: Accept gives it some, and
// connections go on after these are closed.
func NewForwarder(dial DialFunc) *Forwarder { return newForwarder(io.NopCloser(nil), dial) }

// Accept begins to accept connections of l, until somebody closes that.
func (f *Forwarder) Accept(l net.Listener) { f.running.Go(func() { f.accept(l) }) }

// SetBackends says, at once, where new traffic goes from now on. Connections
// that are open go on until they end, or CloseBackend ends them; datagrams of
// known clients follow the new backends.
func (f *Forwarder) SetBackends(backends []Backend) {
	f.table.set(backends)
	if f.retired != nil {
		f.retired()
	}
}

// CloseBackend ends every open connection to the instance.
func (f *Forwarder) CloseBackend(instance string) { f.table.cut(instance) }

// Active counts the open connections to the instance, with those being made.
func (f *Forwarder) Active(instance string) int { return f.table.active(instance) }

// Wait waits until the instance has no open connection, or ctx ends.
func (f *Forwarder) Wait(ctx context.Context, instance string) error {
	return f.table.wait(ctx, instance)
}

// Close closes the socket and every open connection.
func (f *Forwarder) Close() error {
	f.cancel()
	err := f.socket.Close()
	f.running.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (f *Forwarder) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		switch {
		case err == nil:
			f.running.Go(func() { f.serve(client) })
		case f.ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return
		default:
			f.pause()
		}
	}
}

func (f *Forwarder) pause() {
	timer := time.NewTimer(acceptPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-f.ctx.Done():
	}
}

// serve tries every backend once. Those that come into the table meanwhile
// count too, so that a switch loses no connection.
func (f *Forwarder) serve(client net.Conn) {
	defer client.Close()
	ctx, cut := context.WithCancel(f.ctx)
	defer cut()
	tried := map[Backend]bool{}
	for {
		lease := f.table.pick(tried, cut)
		if lease == nil {
			return
		}
		server, err := f.connect(ctx, lease.Addr, "tcp")
		if err == nil && lease.Header {
			err = introduce(client, server)
		}
		if err == nil {
			splice(ctx, client, server)
			lease.release()
			return
		}
		lease.release()
		tried[lease.Backend] = true
	}
}

// introduce tells a backend who its client is.
func introduce(client, server net.Conn) error {
	_, err := proxyproto.HeaderProxyFromAddrs(2, client.RemoteAddr(), client.LocalAddr()).WriteTo(server)
	if err != nil {
		server.Close()
	}
	return err
}

func (f *Forwarder) connect(ctx context.Context, addr netip.AddrPort, network string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, backendTimeout)
	defer cancel()
	return f.dial(ctx, addr, network)
}

package network

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// DefaultUDPIdle is how long a UDP flow may be silent before it is forgotten.
const DefaultUDPIdle = 60 * time.Second

// lastWord is how long an instance that left the route may still answer
// datagrams it got before.
const lastWord = 2 * time.Second

// datagrams forwards a UDP port: every client address has a flow of its own,
// so that an instance sees one source per client and the answers find back.
type datagrams struct {
	*Forwarder
	socket net.PacketConn
	idle   time.Duration

	mu    sync.Mutex
	flows map[string]*flow // by client address
}

// flow is what one client says to one instance.
type flow struct {
	*lease
	client  net.Addr
	server  net.Conn
	silence *time.Timer // ends the flow
}

// NewUDPForwarder carries the datagrams that reach pc, which it owns from now
// on, to the backends: each client to one of them as long as that is in the
// route and takes datagrams. A flow is forgotten after idle of silence
// (0 = DefaultUDPIdle). Without a backend a datagram is dropped.
func NewUDPForwarder(pc net.PacketConn, dial DialFunc, idle time.Duration) *Forwarder {
	if idle == 0 {
		idle = DefaultUDPIdle
	}
	d := &datagrams{Forwarder: newForwarder(pc, dial), socket: pc, idle: idle, flows: map[string]*flow{}}
	d.retired = d.retire
	d.running.Go(d.receive)
	return d.Forwarder
}

// receive brings what clients say to their instances.
func (d *datagrams) receive() {
	buffer := make([]byte, largestDatagram)
	for {
		n, client, err := d.socket.ReadFrom(buffer)
		switch {
		case err == nil:
			if f := d.flowOf(client); f != nil {
				f.silence.Reset(d.idle)
				_, _ = f.server.Write(buffer[:n]) // a datagram may be lost
			}
		case d.ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return
		default:
			d.pause()
		}
	}
}

// flowOf finds or opens the client's flow, nil without a backend.
func (d *datagrams) flowOf(client net.Addr) *flow {
	key := client.String()
	d.mu.Lock()
	known, ok := d.flows[key]
	d.mu.Unlock()
	if ok {
		return known
	}
	f := d.open(client)
	if f == nil {
		return nil
	}
	d.mu.Lock()
	d.flows[key] = f
	d.mu.Unlock()
	if !d.table.serves(f.Backend) {
		d.retire() // the route changed while it was opened
	}
	d.running.Go(func() { d.answer(f, key) })
	return f
}

func (d *datagrams) open(client net.Addr) *flow {
	ctx, cut := context.WithCancel(d.ctx)
	tried := map[Backend]bool{}
	for {
		lease := d.table.pick(tried, cut)
		if lease == nil {
			cut()
			return nil
		}
		server, err := d.connect(ctx, lease.Addr, "udp")
		if err == nil {
			context.AfterFunc(ctx, func() { server.Close() })
			return &flow{lease: lease, client: client, server: server, silence: time.AfterFunc(d.idle, cut)}
		}
		lease.release()
		tried[lease.Backend] = true
	}
}

// answer brings what the instance says to the client, until the flow ends.
func (d *datagrams) answer(f *flow, key string) {
	defer f.release()
	defer f.cut()
	defer f.silence.Stop()
	defer d.forget(f, key)
	buffer := make([]byte, largestDatagram)
	for {
		n, err := f.server.Read(buffer)
		if err != nil {
			return // also a refusal: the client's next datagram tries another instance
		}
		f.silence.Reset(d.idle)
		_, _ = d.socket.WriteTo(buffer[:n], f.client) // a datagram may be lost
	}
}

// forget makes room for the client's next flow.
func (d *datagrams) forget(f *flow, key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.flows[key] == f {
		delete(d.flows, key)
	}
}

// retire takes the flows of instances that left the route from their clients;
// the answers that are due still pass.
func (d *datagrams) retire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, f := range d.flows {
		if !d.table.serves(f.Backend) {
			delete(d.flows, key)
			time.AfterFunc(min(lastWord, d.idle), f.cut)
		}
	}
}

package supervisor

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/network"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// How often an instance that runs and takes no connections is tried.
const (
	firstTry   = 10 * time.Millisecond
	lastTry    = time.Second
	tryTimeout = time.Second
)

// door is one socket. It listens only while the instance behind it takes
// connections: a guest that is refused knows that nothing of its request was
// heard and asks another instance, which one that is cut off cannot know.
type door struct {
	state.Door
	s       *Supervisor
	path    string
	traffic *network.Forwarder
	changed chan struct{} // says that something may be different now
	quit    chan struct{}
	ended   chan struct{}

	tending sync.Mutex // held while the instance is tried

	mu       sync.Mutex // guards what follows
	listener *net.UnixListener
	socket   os.FileInfo // that it listens on
	closed   bool
}

func newDoor(s *Supervisor, which state.Door) *door {
	d := &door{Door: which, s: s, path: which.Path(s.place),
		changed: make(chan struct{}, 1), quit: make(chan struct{}), ended: make(chan struct{})}
	d.traffic = network.NewForwarder(d.dial)
	go d.keep()
	return d
}

// keep keeps the door as its instance is.
func (d *door) keep() {
	defer close(d.ended)
	for pause := firstTry; ; pause = min(2*pause, lastTry) {
		var again <-chan time.Time
		if d.tend() {
			again = d.s.after(pause)
		}
		select {
		case <-again:
		case <-d.changed:
			pause = firstTry / 2
		case <-d.quit:
			return
		}
	}
}

// tend opens or shuts the door. It reports whether to try again soon: the
// instance runs, and takes no connections.
func (d *door) tend() (again bool) {
	d.tending.Lock()
	defer d.tending.Unlock()
	address := d.address()
	if !address.IsValid() {
		d.shut()
		return false
	}
	if !d.answers(address) {
		d.shut()
		return true
	}
	d.traffic.SetBackends([]network.Backend{{Instance: d.Instance, Addr: address}})
	err := d.open()
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist): // the guest is gone; when it comes back it asks to be let in
	default:
		d.s.logf("instance %s: opening port %d to guests: %v", d.Instance, d.Port, err)
	}
	if !d.address().IsValid() { // it is to end since
		d.shut()
	}
	return false
}

// address is where the instance takes connections, invalid when it does not run.
func (d *door) address() netip.AddrPort {
	i := d.s.address(d.Instance)
	if i == nil {
		return netip.AddrPort{}
	}
	a := i.welcomes()
	if !a.IsValid() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a, uint16(d.Port))
}

func (d *door) answers(address netip.AddrPort) bool {
	ctx, cancel := context.WithTimeout(context.Background(), tryTimeout)
	defer cancel()
	c, err := d.s.network.Dial(ctx, address, "tcp")
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

// dial connects a guest to the instance; where that refuses, others are refused too.
func (d *door) dial(ctx context.Context, address netip.AddrPort, network string) (net.Conn, error) {
	c, err := d.s.network.Dial(ctx, address, network)
	if err != nil {
		d.shut()
		d.look()
	}
	return c, err
}

// open listens, unless it does and the socket is still there for guests to see.
func (d *door) open() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	if seen, err := os.Stat(d.path); err == nil && d.listener != nil && os.SameFile(seen, d.socket) {
		return nil
	}
	d.stopListening()
	if err := os.Mkdir(filepath.Dir(d.path), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	l, err := control.Listen(d.path, 0o666) // for any user of the guest; the node's directory keeps all others out
	if err != nil {
		return err
	}
	if d.socket, err = os.Stat(d.path); err != nil {
		l.Close()
		return err
	}
	d.listener = l
	d.traffic.Accept(l)
	return nil
}

// shut lets nobody in any more; who is in stays.
func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopListening()
}

// stopListening needs d.mu.
func (d *door) stopListening() {
	if d.listener != nil {
		d.listener.Close()
		d.listener = nil
	}
}

// refresh shuts the door at once when its instance is about to end, and has
// everything else looked at.
func (d *door) refresh() {
	if !d.address().IsValid() {
		d.shut()
	}
	d.look()
}

func (d *door) look() {
	select {
	case d.changed <- struct{}{}:
	default: // it is to look already
	}
}

// close shuts the door for good and cuts every connection.
func (d *door) close() {
	d.mu.Lock()
	d.stopListening()
	already := d.closed
	d.closed = true
	d.mu.Unlock()
	if already {
		return
	}
	close(d.quit)
	<-d.ended
	_ = d.traffic.Close()
}

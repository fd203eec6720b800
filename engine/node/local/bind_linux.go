package local

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
)

// binder binds the ports of a table that the supervisor does not hold yet.
type binder struct {
	held     []control.Listener
	release  func(control.Listener) error // lets the supervisor give up one of held
	released []control.Listener
	bound    []control.Listener
	files    []*os.File // one for each of bound
	settling bool       // what is bound may just have been given up
}

// bind answers where the port listens. One that the node may choose is what it was
// before, where that can still be had.
func (b *binder) bind(l control.Listener, before engine.Endpoint) (control.Listener, error) {
	if l.Port == 0 && before.Port != 0 && before.Address == l.Address {
		known := l
		known.Port = before.Port
		if got, err := b.bind(known, engine.Endpoint{}); err == nil {
			return got, nil
		}
	}
	if l.Port != 0 && (slices.Contains(b.held, l) || slices.Contains(b.bound, l)) {
		return l, nil
	}
	port, file, err := b.listen(l)
	if old, ours := inTheWay(b.held, l, err); ours {
		if err := b.release(old); err != nil {
			return l, err
		}
		b.held = slices.DeleteFunc(b.held, func(h control.Listener) bool { return h == old })
		b.released = append(b.released, old)
		b.settling = true
		return b.bind(l, engine.Endpoint{})
	}
	if err != nil {
		return l, taken(l, err)
	}
	l.Port = port
	b.bound, b.files = append(b.bound, l), append(b.files, file)
	return l, nil
}

// inTheWay finds the listener of ours that keeps l from being bound: the same port
// at another address, one of which is all addresses.
func inTheWay(held []control.Listener, l control.Listener, err error) (control.Listener, bool) {
	if !errors.Is(err, unix.EADDRINUSE) {
		return control.Listener{}, false
	}
	n := slices.IndexFunc(held, func(h control.Listener) bool {
		return h.Protocol == l.Protocol && h.Port == l.Port && h.Address != l.Address && (everywhere(h) || everywhere(l))
	})
	if n < 0 {
		return control.Listener{}, false
	}
	return held[n], true
}

func everywhere(l control.Listener) bool {
	ip, err := netip.ParseAddr(l.Address)
	return err == nil && ip.IsUnspecified()
}

// close closes this process's copies.
func (b *binder) close() {
	for _, f := range b.files {
		f.Close()
	}
}

func hostPort(l control.Listener) string { return net.JoinHostPort(l.Address, strconv.Itoa(l.Port)) }

// Ports that the node chooses are from below those that Linux gives to outgoing
// connections: one of these would keep the port from being bound again.
const (
	firstChosen    = 20000
	countChosen    = 12000
	choiceAttempts = 100
)

// settleTime is how long a port that was given up may still count as taken: a process
// that is being started holds what its parent had open until it runs its program.
const settleTime = 3 * time.Second

// listen binds the port, or one that is free where there is none.
func (b *binder) listen(l control.Listener) (port int, file *os.File, err error) {
	if l.Port == 0 {
		return choose(l)
	}
	wait := 5 * time.Millisecond
	for began := time.Now(); ; wait *= 2 {
		port, file, err = listen(l)
		if !b.settling || !errors.Is(err, unix.EADDRINUSE) || time.Since(began) > settleTime {
			return port, file, err
		}
		time.Sleep(wait)
	}
}

// choose binds a port that is free.
func choose(l control.Listener) (port int, file *os.File, err error) {
	for range choiceAttempts {
		l.Port = firstChosen + rand.IntN(countChosen) //nolint:gosec // it is no secret
		if port, file, err = listen(l); !errors.Is(err, unix.EADDRINUSE) {
			return port, file, err
		}
	}
	l.Port = 0
	return listen(l)
}

// listen binds the port and gives its socket.
func listen(l control.Listener) (port int, file *os.File, err error) {
	if l.Protocol == "udp" {
		pc, err := net.ListenPacket("udp", hostPort(l))
		if err != nil {
			return 0, nil, err
		}
		defer pc.Close()
		file, err = pc.(*net.UDPConn).File()
		return pc.LocalAddr().(*net.UDPAddr).Port, file, err
	}
	listener, err := net.Listen("tcp", hostPort(l))
	if err != nil {
		return 0, nil, err
	}
	defer listener.Close()
	file, err = listener.(*net.TCPListener).File()
	return listener.Addr().(*net.TCPAddr).Port, file, err
}

func taken(l control.Listener, err error) error {
	at := l.Protocol + " " + hostPort(l)
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		e := engine.Conflict(fmt.Sprintf("%s is taken by another process of the node", at),
			"choose another host_port, or 0 to let the node choose one")
		e.Field = "host_port"
		return e
	case errors.Is(err, unix.EACCES):
		return &engine.Error{Class: engine.ErrDenied, Field: "host_port", Reason: fmt.Sprintf("this user may not listen on %s", at),
			Hint: fmt.Sprintf("use a port from %d, run the engine as root, or lower the sysctl net.ipv4.ip_unprivileged_port_start", LowestPort())}
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return engine.Invalid("host_address", "%s is no address of the node", l.Address)
	}
	return &engine.Error{Class: engine.ErrInvalid, Field: "host_port", Reason: "cannot listen on " + at, Err: err}
}

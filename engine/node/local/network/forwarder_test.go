package network

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pires/go-proxyproto"
)

func plainDial(ctx context.Context, addr netip.AddrPort, network string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, addr.String())
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	return l
}

// newForward publishes a port on the loopback.
func newForward(t *testing.T, backends ...Backend) (*Forwarder, string) {
	t.Helper()
	l := listen(t)
	f := NewTCPForwarder(l, plainDial)
	t.Cleanup(func() { must(t, f.Close()) })
	f.SetBackends(backends)
	return f, l.Addr().String()
}

func dial(t *testing.T, address string) *net.TCPConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", address, 10*time.Second)
	must(t, err)
	t.Cleanup(func() { c.Close() })
	must(t, c.SetDeadline(time.Now().Add(20*time.Second)))
	return c.(*net.TCPConn)
}

func backend(t *testing.T, instance string, serve func(net.Conn)) Backend {
	t.Helper()
	return Backend{Instance: instance, Addr: handle(t, listen(t), serve)}
}

// refusing is a backend whose port nobody listens on.
func refusing(t *testing.T) Backend {
	t.Helper()
	l := listen(t)
	must(t, l.Close())
	return Backend{Instance: "gone", Addr: l.Addr().(*net.TCPAddr).AddrPort()}
}

func TestForwarderTakesTurnsAndPassesOverRefusals(t *testing.T) {
	_, address := newForward(t, backend(t, "a", greeting("a")), refusing(t), backend(t, "b", greeting("b")))
	got := map[string]int{}
	for range 12 {
		got[readAll(t, dial(t, address))]++
	}
	if got["a"]+got["b"] != 12 || got["a"] < 3 || got["b"] < 3 {
		t.Errorf("answers: %v", got)
	}
}

func TestForwarderWithoutBackendClosesAtOnce(t *testing.T) {
	for _, backends := range [][]Backend{nil, {refusing(t)}} {
		_, address := newForward(t, backends...)
		if data, err := io.ReadAll(dial(t, address)); len(data) != 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%d bytes, %v", len(data), err)
		}
	}
}

func TestForwarderKeepsHalfClosedConnections(t *testing.T) {
	_, address := newForward(t, backend(t, "a", mirror))
	c := dial(t, address)
	_, err := io.WriteString(c, "until the end")
	must(t, err)
	must(t, c.CloseWrite())
	if got := readAll(t, c); got != "until the end" {
		t.Errorf("got %q", got)
	}
}

func TestForwarderPassesResetsOn(t *testing.T) {
	_, address := newForward(t, backend(t, "a", func(c net.Conn) {
		_, _ = io.WriteString(c, "half an ans")
		_, _ = io.ReadFull(c, make([]byte, 1))
		abort(c)
	}))
	c := dial(t, address)
	_, err := io.ReadFull(c, make([]byte, 11))
	must(t, err)
	_, err = io.WriteString(c, "x")
	must(t, err)
	if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a cut answer ends with %v", err)
	}
}

func TestForwarderDrains(t *testing.T) {
	old, next := backend(t, "old", echo), backend(t, "new", greeting("new"))
	f, address := newForward(t, old)
	c := dial(t, address)
	roundTrip(t, c)
	f.SetBackends([]Backend{next})
	if got := readAll(t, dial(t, address)); got != "new" {
		t.Errorf("after the switch: %q", got)
	}
	roundTrip(t, c) // goes on
	if n := f.Active("old"); n != 1 {
		t.Errorf("%d connections to the old instance", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Wait(ctx, "old"); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting answers %v", err)
	}
	f.CloseBackend("old")
	must(t, f.Wait(t.Context(), "old"))
	if _, err := io.ReadAll(c); err == nil {
		t.Error("the cut connection ended as if complete")
	}
	if n := f.Active("old"); n != 0 {
		t.Errorf("%d connections to the old instance", n)
	}
}

func echo(c net.Conn) { _, _ = io.Copy(c, c) }

func roundTrip(t *testing.T, c net.Conn) {
	t.Helper()
	_, err := io.WriteString(c, "ping")
	must(t, err)
	answer := make([]byte, 4)
	if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "ping" {
		t.Fatalf("%q: %v", answer, err)
	}
}

func TestForwarderSwitchesUnderLoad(t *testing.T) {
	f, address := newForward(t, backend(t, "0", greeting("0")))
	var stop atomic.Bool
	var clients sync.WaitGroup
	var served, failed atomic.Int64
	for range 8 {
		clients.Go(func() {
			for !stop.Load() {
				if c, err := net.Dial("tcp", address); err != nil {
					failed.Add(1)
				} else {
					data, err := io.ReadAll(c)
					c.Close()
					if err != nil || len(data) != 1 {
						failed.Add(1)
					}
				}
				served.Add(1)
			}
		})
	}
	for i := range 30 {
		before := served.Load()
		eventually(t, "serve", func() bool { return served.Load() > before+20 })
		name := string(rune('1' + i))
		l := listen(t)
		f.SetBackends([]Backend{{Instance: name, Addr: handle(t, l, greeting(string(rune('a'+i%26))))}})
		old := string(rune('0' + i))
		must(t, f.Wait(t.Context(), old))
	}
	stop.Store(true)
	clients.Wait()
	if failed.Load() != 0 {
		t.Errorf("%d of %d connections failed", failed.Load(), served.Load())
	}
}

func TestForwarderDatagrams(t *testing.T) {
	server := func(name string) (Backend, net.PacketConn) {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		must(t, err)
		echoDatagrams(t, pc, name+":")
		return Backend{Instance: name, Addr: pc.LocalAddr().(*net.UDPAddr).AddrPort()}, pc
	}
	a, pcA := server("a")
	b, _ := server("b")
	front, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	f := NewUDPForwarder(front, plainDial, time.Minute)
	t.Cleanup(func() { must(t, f.Close()) })
	f.SetBackends([]Backend{a})
	clients := make([]net.Conn, 3)
	for i := range clients {
		clients[i], err = net.Dial("udp", front.LocalAddr().String())
		must(t, err)
		t.Cleanup(func() { clients[i].Close() })
		said := string(rune('x' + i))
		if got := exchange(t, clients[i], said); got != "a:"+said {
			t.Errorf("client %d got %q", i, got)
		}
	}
	if n := f.Active("a"); n != 3 {
		t.Errorf("%d flows of 3 clients", n)
	}
	f.SetBackends([]Backend{b})
	if got := exchange(t, clients[0], "moved"); got != "b:moved" {
		t.Errorf("after the switch: %q", got)
	}
	f.CloseBackend("a")
	must(t, f.Wait(t.Context(), "a"))
	pcA.Close()
	f.SetBackends([]Backend{a, b}) // a refuses now
	if got := exchange(t, clients[1], "again"); got != "b:again" {
		t.Errorf("past the refusing instance: %q", got)
	}
}

func TestForwarderForgetsSilentClients(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	echoDatagrams(t, pc, "")
	front, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	f := NewUDPForwarder(front, plainDial, 30*time.Millisecond)
	t.Cleanup(func() { must(t, f.Close()) })
	f.SetBackends([]Backend{{Instance: "a", Addr: pc.LocalAddr().(*net.UDPAddr).AddrPort()}})
	c, err := net.Dial("udp", front.LocalAddr().String())
	must(t, err)
	defer c.Close()
	exchange(t, c, "hello")
	must(t, f.Wait(t.Context(), "a"))
	exchange(t, c, "and again")
}

func TestForwarderIntroducesClients(t *testing.T) {
	b := backend(t, "a", func(c net.Conn) {
		header, err := proxyproto.Read(bufio.NewReader(c))
		if err != nil {
			_, _ = io.WriteString(c, err.Error())
			return
		}
		_, _ = fmt.Fprint(c, header.Version, " ", header.SourceAddr, " ", header.DestinationAddr)
	})
	b.Header = true
	_, address := newForward(t, b)
	c := dial(t, address)
	if got, want := readAll(t, c), fmt.Sprint(2, " ", c.LocalAddr(), " ", address); got != want {
		t.Errorf("the instance is told %q, want %q", got, want)
	}
}

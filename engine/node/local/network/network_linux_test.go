package network

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestInsideInstancesListenSideBySide(t *testing.T) {
	inside(t)
	n := newNetwork(t, Options{})
	a, b := attach(t, n, "a"), attach(t, n, "b")
	serveIn(t, a, 80, greeting("from a"))
	serveIn(t, b, 80, greeting("from b"))
	for _, c := range []struct {
		from, to *Endpoint
		want     string
	}{{a, b, "from b"}, {b, a, "from a"}, {a, a, "from a"}} {
		if got := readAll(t, dialIn(t, c.from, "tcp", c.to.IP.String()+":80")); got != c.want {
			t.Errorf("%s reached %s: %q", c.from.Name, c.to.Name, got)
		}
	}
}

func TestInsideDial(t *testing.T) {
	inside(t)
	n := newNetwork(t, Options{})
	ep := attach(t, n, "a")
	web := serveIn(t, ep, 80, greeting("hello"))
	c, err := n.Dial(t.Context(), web, "tcp")
	must(t, err)
	defer c.Close()
	if got := readAll(t, c); got != "hello" {
		t.Errorf("got %q", got)
	}
	file, err := n.DialFile(t.Context(), web, "tcp")
	must(t, err)
	defer file.Close()
	passed, err := net.FileConn(file)
	must(t, err)
	defer passed.Close()
	if got := readAll(t, passed); got != "hello" {
		t.Errorf("over the file: %q", got)
	}
	if _, err := n.Dial(t.Context(), netip.AddrPortFrom(ep.IP, 81), "tcp"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a closed port: %v", err)
	}
	nobody := netip.MustParseAddrPort("10.88.200.1:80")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := n.Dial(ctx, nobody, "tcp"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an address of nobody: %v", err)
	}
	if _, err := n.Dial(t.Context(), web, "sctp"); err == nil {
		t.Error("sctp was dialled")
	}
}

func TestInsideAddressesAndNamespacesComeAndGo(t *testing.T) {
	inside(t)
	n := newNetwork(t, Options{})
	first := attach(t, n, "a")
	if again := attach(t, n, "a"); again != first {
		t.Error("attaching again made something new")
	}
	serveIn(t, first, 80, greeting("old"))
	must(t, n.Detach("a"))
	must(t, n.Detach("a"))
	if err := first.FD.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the namespace is still held: %v", err)
	}
	if second := attach(t, n, "a"); second.IP == first.IP {
		t.Errorf("%s was given to the next", first.IP)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if c, err := n.Dial(ctx, netip.AddrPortFrom(first.IP, 80), "tcp"); err == nil {
		c.Close()
		t.Error("the detached instance still answers")
	}
	must(t, n.Close())
	if _, err := n.Attach("b"); !errors.Is(err, os.ErrClosed) {
		t.Errorf("attached to a closed network: %v", err)
	}
	eventually(t, "leave every namespace", func() bool { return len(namespaces(t)) == 1 })
}

// namespaces tells the network namespaces that threads of this process are in.
func namespaces(t *testing.T) map[string]bool {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	must(t, err)
	found := map[string]bool{}
	for _, task := range tasks {
		ns, err := os.Readlink("/proc/self/task/" + task.Name() + "/ns/net")
		if err == nil { // else the thread has ended meanwhile
			found[ns] = true
		}
	}
	return found
}

func TestInsideManyAtOnce(t *testing.T) {
	inside(t)
	n := newNetwork(t, Options{})
	start := time.Now()
	result := make(chan error)
	const count = 40
	for i := range count {
		go func() {
			_, err := n.Attach(string(rune('A' + i)))
			result <- err
		}()
	}
	for range count {
		if err := <-result; err != nil {
			t.Error(err)
		}
	}
	t.Logf("attached %d in %v", count, time.Since(start))
}

func TestInsideOutbound(t *testing.T) {
	inside(t)
	n := newNetwork(t, Options{})
	ep := attach(t, n, "a")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	loopback := handle(t, listener, mirror)
	toHost := netip.AddrPortFrom(n.Host(), loopback.Port()).String()
	transfer(t, "outbound to the host's loopback", dialIn(t, ep, "tcp", toHost))

	outer := outerAddress(t)
	listener, err = net.Listen("tcp", netip.AddrPortFrom(outer, 0).String())
	must(t, err)
	address := greet(t, listener, "outside")
	if got := readAll(t, dialIn(t, ep, "tcp", address.String())); got != "outside" {
		t.Errorf("the host's outer address: %q", got)
	}
	listener.Close()
	err = in(t, ep, func() (error, error) {
		c, err := net.DialTimeout("tcp", address.String(), 10*time.Second)
		if err == nil {
			c.Close()
		}
		return err, nil
	})
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a refusal outside became %v", err)
	}
}

// outerAddress is an address of the host that is not its loopback.
func outerAddress(t *testing.T) netip.Addr {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	must(t, err)
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() && !p.Addr().IsLoopback() {
			return p.Addr()
		}
	}
	t.Skip("the host has no other address")
	return netip.Addr{}
}

func TestInsideOutboundUDP(t *testing.T) {
	inside(t)
	n := newNetwork(t, Options{})
	ep := attach(t, n, "a")
	echo, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	echoDatagrams(t, echo, "")
	port := echo.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	c := dialIn(t, ep, "udp", netip.AddrPortFrom(n.Host(), port).String())
	for _, size := range []int{1, 1400, 9000, 60000} {
		said := strings.Repeat("x", size)
		if got := exchange(t, c, said); got != said {
			t.Errorf("of %d bytes %d came back", size, len(got))
		}
	}
}

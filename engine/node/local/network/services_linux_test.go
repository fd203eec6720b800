package network

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/icmp"
)

// resolve asks the network's name server from inside an instance.
func resolve(t *testing.T, n *Network, ep *Endpoint, network, name string) *dns.Msg {
	t.Helper()
	client := &dns.Client{Net: network, Timeout: 8 * time.Second}
	return in(t, ep, func() (*dns.Msg, error) {
		m, _, err := client.Exchange(new(dns.Msg).SetQuestion(name, dns.TypeA), netip.AddrPortFrom(n.layout.hub, 53).String())
		return m, err
	})
}

func TestInsideNames(t *testing.T) {
	inside(t)
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	must(t, os.WriteFile(conf, []byte("nameserver 127.0.0.1\n"), 0o600)) // nobody is there
	n := newNetwork(t, Options{ResolvConf: conf})
	a, b := attach(t, n, "api-1-1"), attach(t, n, "db-1-1")
	serveIn(t, a, 80, greeting("hello"))
	n.SetNames(map[string][]netip.Addr{"api": {a.IP}, "db": {b.IP}})
	for _, network := range []string{"udp", "tcp"} {
		for name, want := range map[string]netip.Addr{"api.": a.IP, "db.": b.IP, HostName + ".": n.Host()} {
			m := resolve(t, n, b, network, name)
			if found := addressesOf(m); len(found) != 1 || !found[want.String()] {
				t.Errorf("%s over %s: %v", name, network, m)
			}
		}
		if m := resolve(t, n, b, network, "example.org."); m.Rcode != dns.RcodeServerFailure {
			t.Errorf("without the host's resolver: %v", m)
		}
	}
	if !strings.Contains(n.ResolvConf(), "nameserver "+n.layout.hub.String()) {
		t.Errorf("resolv.conf is %q", n.ResolvConf())
	}
	n.SetNames(map[string][]netip.Addr{"api": {b.IP}})
	if m := resolve(t, n, b, "udp", "api."); !addressesOf(m)[b.IP.String()] {
		t.Errorf("after the switch: %v", m)
	}
	if m := resolve(t, n, b, "udp", "db."); m.Rcode != dns.RcodeNameError {
		t.Errorf("a name that is gone: %v", m)
	}
}

func TestInsideManyAddressesNeedTCP(t *testing.T) {
	inside(t)
	n := newNetwork(t, Options{})
	ep := attach(t, n, "a")
	var many []netip.Addr
	for i := range 100 {
		many = append(many, netip.AddrFrom4([4]byte{10, 88, 1, byte(i)}))
	}
	n.SetNames(map[string][]netip.Addr{"api": many})
	m := resolve(t, n, ep, "udp", "api.")
	m.Compress = true // as it came
	if !m.Truncated || m.Len() > dns.MinMsgSize {
		t.Errorf("over UDP: truncated %v, %d bytes", m.Truncated, m.Len())
	}
	if m := resolve(t, n, ep, "tcp", "api."); len(addressesOf(m)) != 100 {
		t.Errorf("over TCP: %d addresses", len(m.Answer))
	}
}

func TestInsidePublishing(t *testing.T) {
	inside(t)
	n := newNetwork(t, Options{})
	ep := attach(t, n, "a")
	l := listen(t)
	f := NewTCPForwarder(l, n.Dial)
	defer f.Close()
	f.SetBackends([]Backend{{Instance: "a", Addr: serveIn(t, ep, 80, mirror)}})
	transfer(t, "published port", dial(t, l.Addr().String()))
	must(t, f.Wait(t.Context(), "a"))

	pc := in(t, ep, func() (net.PacketConn, error) { return net.ListenPacket("udp", ":53") })
	echoDatagrams(t, pc, "a:")
	front, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	u := NewUDPForwarder(front, n.Dial, 0)
	defer u.Close()
	u.SetBackends([]Backend{{Instance: "a", Addr: netip.AddrPortFrom(ep.IP, 53)}})
	c, err := net.Dial("udp", front.LocalAddr().String())
	must(t, err)
	defer c.Close()
	if got := exchange(t, c, "hello"); got != "a:hello" {
		t.Errorf("got %q", got)
	}
}

// TestInsidePing needs the instance's group to be allowed, and the gateway not
// to answer for hosts that it cannot know to be there.
func TestInsidePing(t *testing.T) {
	inside(t)
	n := newNetwork(t, Options{})
	a, b := attach(t, n, "a"), attach(t, n, "b")
	for to, want := range map[netip.Addr]bool{
		b.IP: true, n.gateway: true, n.layout.hub: true,
		netip.MustParseAddr("192.0.2.77"):    false,
		netip.MustParseAddr("10.88.200.200"): false,
	} {
		wait := 300 * time.Millisecond // nobody is known by their silence
		if want {
			wait = 10 * time.Second
		}
		if got := ping(t, a, to, wait); got != want {
			t.Errorf("a ping of %s is answered: %v", to, got)
		}
	}
}

func ping(t *testing.T, ep *Endpoint, to netip.Addr, wait time.Duration) bool {
	t.Helper()
	c := in(t, ep, func() (*icmp.PacketConn, error) { return icmp.ListenPacket("udp4", "0.0.0.0") })
	defer c.Close()
	request := []byte{8, 0, 0, 0, 0, 0, 0, 1} // the kernel fills in identifier and checksum
	must(t, c.SetDeadline(time.Now().Add(wait)))
	if _, err := c.WriteTo(request, &net.UDPAddr{IP: to.AsSlice()}); err != nil {
		return false
	}
	_, _, err := c.ReadFrom(make([]byte, 100))
	return err == nil
}

func TestInsideInterfaces(t *testing.T) {
	inside(t)
	n := newNetwork(t, Options{})
	ep := attach(t, n, "a")
	got := in(t, ep, func() (string, error) {
		all, err := net.Interfaces()
		text := ""
		for _, i := range all {
			addrs, _ := i.Addrs()
			text += fmt.Sprintln(i.Name, addrs)
		}
		return text, err
	})
	if !strings.Contains(got, "lo [127.0.0.1/8") || !strings.Contains(got, fmt.Sprintf("eth0 [%s/16]", ep.IP)) {
		t.Errorf("interfaces are\n%s", got)
	}
}

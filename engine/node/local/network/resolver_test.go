package network

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/miekg/dns"
)

// newResolver asks the upstream on that port of 127.0.0.1 for what it does not know.
func newResolver(t *testing.T, port string) *resolver {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	must(t, os.WriteFile(conf, []byte("nameserver 127.0.0.1\n"), 0o600))
	l, err := newLayout(netip.Prefix{})
	must(t, err)
	return &resolver{layout: l, names: &names{}, resolvConf: conf, port: port, ctx: t.Context(), forwarded: make(chan struct{}, 2)}
}

func ask(r *resolver, name string, kind uint16, network string) *dns.Msg {
	return r.answer(new(dns.Msg).SetQuestion(name, kind), network)
}

func addressesOf(m *dns.Msg) map[string]bool {
	found := map[string]bool{}
	for _, rr := range m.Answer {
		if a, ok := rr.(*dns.A); ok && a.Hdr.Ttl == nameTTL {
			found[a.A.String()] = true
		}
	}
	return found
}

func TestAnswers(t *testing.T) {
	r := newResolver(t, closedPort(t))
	ip1, ip2 := netip.MustParseAddr("10.88.0.16"), netip.MustParseAddr("10.88.0.17")
	r.names.set(map[string][]netip.Addr{"api": {ip1, ip2}, "Idle": nil})
	for _, c := range []struct {
		name  string
		kind  uint16
		rcode int
		addrs int
	}{
		{"api.", dns.TypeA, dns.RcodeSuccess, 2},
		{"API.", dns.TypeA, dns.RcodeSuccess, 2},
		{"api.", dns.TypeAAAA, dns.RcodeSuccess, 0},
		{"idle.", dns.TypeA, dns.RcodeSuccess, 0},
		{"nobody.", dns.TypeA, dns.RcodeNameError, 0},
		{HostName + ".", dns.TypeA, dns.RcodeSuccess, 1},
		{"other.slipway.internal.", dns.TypeA, dns.RcodeNameError, 0},
		{"16.0.88.10.in-addr.arpa.", dns.TypePTR, dns.RcodeNameError, 0},
		{"1.0.0.127.in-addr.arpa.", dns.TypePTR, dns.RcodeServerFailure, 0},
		{"example.org.", dns.TypeA, dns.RcodeServerFailure, 0},
	} {
		m := ask(r, c.name, c.kind, "udp")
		if m.Rcode != c.rcode || len(addressesOf(m)) != c.addrs || len(m.Answer) != c.addrs {
			t.Errorf("%s %s: %v", c.name, dns.TypeToString[c.kind], m)
		}
	}
}

func TestAnswersAreShuffled(t *testing.T) {
	r := newResolver(t, closedPort(t))
	r.names.set(map[string][]netip.Addr{"api": {netip.MustParseAddr("10.88.0.16"), netip.MustParseAddr("10.88.0.17")}})
	first := map[string]bool{}
	for range 100 {
		first[ask(r, "api.", dns.TypeA, "udp").Answer[0].(*dns.A).A.String()] = true
	}
	if len(first) != 2 {
		t.Errorf("only %v ever comes first", first)
	}
}

func TestOtherNamesAreForwarded(t *testing.T) {
	upstream := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		text := w.RemoteAddr().Network()
		m.Answer = []dns.RR{&dns.TXT{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{text}}}
		must(t, w.WriteMsg(m))
	})
	r := newResolver(t, serveUpstream(t, upstream))
	for _, network := range []string{"udp", "tcp"} {
		m := ask(r, "example.org.", dns.TypeTXT, network)
		if len(m.Answer) != 1 || m.Answer[0].(*dns.TXT).Txt[0] != network {
			t.Errorf("over %s: %v", network, m)
		}
	}
	r.forwarded <- struct{}{}
	r.forwarded <- struct{}{}
	if m := ask(r, "example.org.", dns.TypeTXT, "udp"); m.Rcode != dns.RcodeServerFailure {
		t.Errorf("with too many under way: %v", m)
	}
}

// serveUpstream serves both protocols on one port and answers it.
func serveUpstream(t *testing.T, h dns.Handler) string {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		pc, err := net.ListenPacket("udp", l.Addr().String())
		if err != nil {
			l.Close() // somebody has the port for UDP
			continue
		}
		s := &nameServer{cancel: func() {}, servers: []*dns.Server{{PacketConn: pc, Handler: h}, {Listener: l, Handler: h}}}
		s.serve()
		t.Cleanup(func() { must(t, s.close()) })
		return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	}
	t.Fatal("no port is free for both protocols")
	return ""
}

// closedPort is one where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	defer pc.Close()
	return fmt.Sprint(pc.LocalAddr().(*net.UDPAddr).Port)
}

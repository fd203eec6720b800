package network

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	nameTTL         = 1                       // seconds; a route may change at any time
	upstreamTimeout = 2 * time.Second         // for one of the host's resolvers
	forwardTimeout  = 4500 * time.Millisecond // for all of them: before the client gives up
	maxForwarded    = 256                     // questions on their way to the host's resolvers
)

// resolver answers the instances' questions: names of the deployment itself,
// everything else by asking the host's resolvers.
type resolver struct {
	layout
	names      *names
	resolvConf string
	port       string // of the host's resolvers
	ctx        context.Context
	forwarded  chan struct{} // one entry per question under way
}

// ServeDNS implements dns.Handler.
func (r *resolver) ServeDNS(w dns.ResponseWriter, question *dns.Msg) {
	network := w.RemoteAddr().Network()
	answer := r.answer(question, network)
	if network == "udp" {
		answer.Truncate(datagramSize(question)) // the client asks again over TCP
	}
	_ = w.WriteMsg(answer) // a client that is gone needs no answer
}

// datagramSize is the longest answer over UDP that the client takes, in bytes.
func datagramSize(question *dns.Msg) int {
	if options := question.IsEdns0(); options != nil {
		return max(int(options.UDPSize()), dns.MinMsgSize)
	}
	return dns.MinMsgSize
}

// answer says what the answer is; network is udp or tcp, and used upstream too.
func (r *resolver) answer(question *dns.Msg, network string) *dns.Msg {
	if len(question.Question) != 1 || question.Opcode != dns.OpcodeQuery {
		return new(dns.Msg).SetRcode(question, dns.RcodeNotImplemented)
	}
	q := question.Question[0]
	name := strings.TrimSuffix(strings.ToLower(q.Name), ".")
	addrs, known := r.own(name)
	switch {
	case known:
		return addressAnswer(question, q, addrs)
	case !strings.Contains(name, ".") || r.isPrivate(name):
		return new(dns.Msg).SetRcode(question, dns.RcodeNameError)
	default:
		return r.forward(question, network)
	}
}

func (r *resolver) own(name string) ([]netip.Addr, bool) {
	if name == HostName {
		return []netip.Addr{r.host}, true
	}
	return r.names.lookup(name)
}

// isPrivate reports whether a name is of no use outside the deployment: its
// own domain, and the reverse names of the instances' addresses.
func (r *resolver) isPrivate(name string) bool {
	_, domain, _ := strings.Cut(HostName, ".")
	if name == domain || strings.HasSuffix(name, "."+domain) {
		return true
	}
	labels, reverse := strings.CutSuffix(name, ".in-addr.arpa")
	if !reverse {
		return false
	}
	parts := strings.Split(labels, ".")
	slices.Reverse(parts)
	addr, err := netip.ParseAddr(strings.Join(parts, "."))
	return err == nil && r.subnet.Contains(addr)
}

// addressAnswer has the addresses in any order, so that clients that take the
// first spread over all.
func addressAnswer(question *dns.Msg, q dns.Question, addrs []netip.Addr) *dns.Msg {
	m := new(dns.Msg).SetReply(question)
	m.Authoritative, m.RecursionAvailable = true, true
	if q.Qtype != dns.TypeA && q.Qtype != dns.TypeANY || q.Qclass != dns.ClassINET {
		return m
	}
	for _, i := range rand.Perm(len(addrs)) {
		head := dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: nameTTL}
		m.Answer = append(m.Answer, &dns.A{Hdr: head, A: net.IP(addrs[i].AsSlice())})
	}
	return m
}

// forward asks the host's resolvers in turn; SERVFAIL when none answers.
func (r *resolver) forward(question *dns.Msg, network string) *dns.Msg {
	failure := new(dns.Msg).SetRcode(question, dns.RcodeServerFailure)
	select {
	case r.forwarded <- struct{}{}:
		defer func() { <-r.forwarded }()
	default:
		return failure
	}
	config, err := dns.ClientConfigFromFile(r.resolvConf)
	if err != nil {
		return failure
	}
	ctx, cancel := context.WithTimeout(r.ctx, forwardTimeout)
	defer cancel()
	client := &dns.Client{Net: network, Timeout: upstreamTimeout}
	for _, server := range config.Servers {
		answer, _, err := client.ExchangeContext(ctx, question, net.JoinHostPort(server, r.port))
		if err == nil {
			return answer
		}
	}
	return failure
}

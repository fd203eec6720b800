package network

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"
)

func newNetwork(t *testing.T, opts Options) *Network {
	t.Helper()
	n, err := New(opts)
	must(t, err)
	t.Cleanup(func() { must(t, n.Close()) })
	return n
}

func attach(t *testing.T, n *Network, name string) *Endpoint {
	t.Helper()
	ep, err := n.Attach(name)
	must(t, err)
	return ep
}

// in runs f on a thread in the instance's namespace, as an instance would.
func in[T any](t *testing.T, ep *Endpoint, f func() (T, error)) T {
	t.Helper()
	var value T
	must(t, ep.Do(func() (err error) {
		value, err = f()
		return err
	}))
	return value
}

func dialIn(t *testing.T, ep *Endpoint, network, address string) net.Conn {
	t.Helper()
	c := in(t, ep, func() (net.Conn, error) { return net.DialTimeout(network, address, 10*time.Second) })
	must(t, c.SetDeadline(time.Now().Add(60*time.Second)))
	t.Cleanup(func() { c.Close() })
	return c
}

// serveIn listens in the instance and answers the address there.
func serveIn(t *testing.T, ep *Endpoint, port int, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	l := in(t, ep, func() (net.Listener, error) { return net.Listen("tcp", fmt.Sprintf(":%d", port)) })
	return netip.AddrPortFrom(ep.IP, handle(t, l, serve).Port())
}

// bulk is how much a big transfer carries each way.
const bulk = 64 << 20

// transfer sends much over c to a mirror and compares what comes back.
func transfer(t *testing.T, what string, c net.Conn) {
	t.Helper()
	defer c.Close()
	start := time.Now()
	sent, got := sha256.New(), sha256.New()
	random := io.LimitReader(rand.NewChaCha8([32]byte{1}), bulk)
	if _, err := io.Copy(io.MultiWriter(c, sent), random); err != nil {
		t.Fatalf("%s: send: %v", what, err)
	}
	must(t, c.(interface{ CloseWrite() error }).CloseWrite())
	count, err := io.Copy(got, c)
	if err != nil || count != bulk {
		t.Fatalf("%s: %d bytes came back: %v", what, count, err)
	}
	if string(sent.Sum(nil)) != string(got.Sum(nil)) {
		t.Fatalf("%s: what came back is not what was sent", what)
	}
	t.Logf("%s: %.0f MB/s", what, 2*bulk/1e6/time.Since(start).Seconds())
}

package network

import (
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// greet listens and tells everybody that connects the greeting.
func greet(t *testing.T, l net.Listener, greeting string) netip.AddrPort {
	t.Helper()
	return handle(t, l, func(c net.Conn) { _, _ = io.WriteString(c, greeting) })
}

// handle serves connections of l until the test ends.
func handle(t *testing.T, l net.Listener, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func greeting(text string) func(net.Conn) {
	return func(c net.Conn) { _, _ = io.WriteString(c, text) }
}

func readAll(t *testing.T, c net.Conn) string {
	t.Helper()
	text, err := io.ReadAll(c)
	must(t, err)
	return string(text)
}

// mirror answers what it is sent, once it has all of it, so that both
// directions and their ends are proven.
func mirror(c net.Conn) {
	data, err := io.ReadAll(c)
	if err == nil {
		_, _ = c.Write(data)
	}
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for tick := time.NewTicker(5 * time.Millisecond); !condition(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}

// echoDatagrams answers every datagram with itself after a prefix.
func echoDatagrams(t *testing.T, pc net.PacketConn, prefix string) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, largestDatagram)
		for {
			n, from, err := pc.ReadFrom(buffer)
			if err != nil {
				return
			}
			_, _ = pc.WriteTo(append([]byte(prefix), buffer[:n]...), from)
		}
	}()
	t.Cleanup(func() { pc.Close(); <-done })
}

// exchange says something and answers what comes back and ends with it;
// datagrams may be lost or late, so it repeats.
func exchange(t *testing.T, c net.Conn, said string) string {
	t.Helper()
	buffer := make([]byte, largestDatagram)
	for range 20 {
		_, _ = io.WriteString(c, said)
		must(t, c.SetReadDeadline(time.Now().Add(500*time.Millisecond)))
		if n, err := c.Read(buffer); err == nil && strings.HasSuffix(string(buffer[:n]), said) {
			return string(buffer[:n])
		}
	}
	t.Fatal("no answer")
	return ""
}

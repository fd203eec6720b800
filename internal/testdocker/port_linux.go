package testdocker

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// Ports for servers that are told theirs before they listen are from below those
// that Linux gives to outgoing connections, and those that Slipway chooses.
const (
	firstPort  = 10000
	countPorts = 10000
)

// FreePort answers an address of this machine, host:port, where nobody listens and
// no other test is likely to.
func FreePort(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(firstPort+rand.IntN(countPorts))) //nolint:gosec // it is no secret
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		l.Close()
		return address
	}
	t.Fatal("no port of 127.0.0.1 is free")
	return ""
}

//go:build linux

package local_test

import (
	"net"
	"net/http"
	"testing"
)

// listen serves on a free port of the loopback until the test ends.
func listen(t *testing.T, s *http.Server) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l) //nolint:errcheck // it ends with Close
	t.Cleanup(func() { s.Close() })
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

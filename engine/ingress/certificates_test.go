package ingress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// TestCertificatesChangeUnnoticed changes certificates and hosts with TLS under
// visitors by HTTP/1.1 and HTTP/2, with connections that are kept and with new
// ones. Those that are kept are never closed, and who comes after a change gets
// the certificate after it.
func TestCertificatesChangeUnnoticed(t *testing.T) {
	t.Parallel()
	const visitors = 12
	changes := 10
	if os.Getenv("SLIPWAY_TEST_LOAD") == "all" {
		changes = 100
	}
	p := start(t)
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprintf(w, "it took %d", n)
	})
	own := withTLS(site("own", "own.acme.dev", "/", address), engine.RouteTLS{CertificateSecret: "C", PrivateKeySecret: "K"})
	change := func(n int) {
		t.Helper()
		cert := certificate(t, "own.acme.dev", fmt.Sprintf("other%d.acme.dev", n))
		p.in.Certificates = []Certificate{cert}
		fresh := withTLS(site("fresh", fmt.Sprintf("fresh%d.acme.dev", n), "/", address), engine.RouteTLS{Issuer: engine.IssuerInternal})
		p.load(own, fresh)
		want, err := cert.Check()
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the new certificate", func() error {
			_, _, got, err := p.secure("own.acme.dev", "/")
			if err == nil && !got.Equal(want) {
				err = fmt.Errorf("got the one for %v", got.DNSNames)
			}
			return err
		})
		eventually(t, "the new host", func() error { return second3(p.secure(fresh.Route.Host, "/")) })
	}
	change(0)

	ctx, done := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var asked, lost atomic.Int64
	for v := range visitors {
		all.Go(func() {
			var dialed atomic.Int64
			transport := &http.Transport{
				DisableKeepAlives: v%3 == 2, ForceAttemptHTTP2: v%2 == 0,
				TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // it is looked at above
				DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
					dialed.Add(1)
					return p.dialPort(p.in.Node.HTTPSPort)(ctx, network, addr)
				},
			}
			defer transport.CloseIdleConnections()
			for n := 0; ctx.Err() == nil; n++ {
				if err := ask(transport, fmt.Sprintf("https://own.acme.dev:%d/", p.in.Node.HTTPSPort), v%4 < 2, 1+n%20_000); err != nil {
					lost.Add(1)
					t.Errorf("visitor %d, request %d: %v", v, n, err)
				}
				asked.Add(1)
			}
			if !transport.DisableKeepAlives && dialed.Load() != 1 {
				t.Errorf("visitor %d was disconnected: %d connections", v, dialed.Load())
			}
		})
	}
	for n := range changes {
		change(n + 1)
		seen := asked.Load()
		eventually(t, "requests", func() error {
			if asked.Load() < seen+visitors {
				return errors.New("too few")
			}
			return nil
		})
	}
	done()
	all.Wait()
	t.Logf("%d changes under %d requests: %d lost", changes, asked.Load(), lost.Load())
}

func second3[A, B, C any](_ A, _ B, _ C, err error) error { return err }

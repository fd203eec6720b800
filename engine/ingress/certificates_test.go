package ingress

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// TestCertificatesChangeUnnoticed changes certificates and hosts with TLS under
// visitors by HTTP/1.1 and HTTP/2, with connections that are kept and with new
// ones. One that is kept is never closed, and who comes after a change gets the
// certificate after it.
func TestCertificatesChangeUnnoticed(t *testing.T) {
	t.Parallel()
	const visitors = 12
	changes := 5
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
		want, err := cert.Check()
		if err != nil {
			t.Fatal(err)
		}
		fresh := withTLS(site("fresh", fmt.Sprintf("fresh%d.acme.dev", n), "/", address), engine.RouteTLS{Issuer: engine.IssuerInternal})
		p.coming(fresh, own)
		p.load(own, fresh)
		if _, _, _, err := p.secure(fresh.Route.Host, "/"); err != nil {
			t.Errorf("the new host: %v", err)
		}
		eventually(t, "the new certificate", func() error {
			_, _, got, err := p.secure("own.acme.dev", "/")
			if err == nil && !got.Equal(want) {
				err = fmt.Errorf("got the one for %v", got.DNSNames)
			}
			return err
		})
	}
	change(0)
	kept, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", p.in.Node.HTTPSPort), &tls.Config{ServerName: "own.acme.dev", InsecureSkipVerify: true}) //nolint:gosec // as above
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	answers := bufio.NewReader(kept)

	ctx, done := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var asked, lost atomic.Int64
	for v := range visitors {
		all.Go(func() {
			transport := &http.Transport{
				DisableKeepAlives: v%3 == 2, ForceAttemptHTTP2: v%2 == 0,
				TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // it is looked at above
				DialContext:     p.dialPort(p.in.Node.HTTPSPort),
			}
			defer transport.CloseIdleConnections()
			for n := 0; ctx.Err() == nil; n++ {
				if err := ask(transport, fmt.Sprintf("https://own.acme.dev:%d/", p.in.Node.HTTPSPort), v%4 < 2, 1+n%20_000); err != nil {
					lost.Add(1)
					t.Errorf("visitor %d, request %d: %v", v, n, err)
				}
				asked.Add(1)
			}
		})
	}
	for n := range changes {
		change(n + 1)
		_, _ = io.WriteString(kept, "GET / HTTP/1.1\r\nHost: own.acme.dev\r\n\r\n")
		if resp, err := http.ReadResponse(answers, nil); err != nil || resp.StatusCode != 200 || second(io.Copy(io.Discard, resp.Body)) != nil {
			t.Fatalf("on the connection that is kept: %v %v", resp, err)
		}
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

// coming gets the certificate of a site while others serve.
func (p *proxy) coming(s Site, others ...Site) {
	p.t.Helper()
	s.Coming = true
	p.load(append(slices.Clone(others), s)...)
	eventually(p.t, "the certificate for "+s.Route.Host, func() error {
		there, err := p.router.Certified(p.t.Context(), s, time.Now())
		if err == nil && !there {
			err = errors.New("there is none")
		}
		return err
	})
}

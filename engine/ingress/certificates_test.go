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
	"strings"
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

// TestKeysAreTheFrontsAlone: neither visitors nor who reaches the router learn a
// key, nor which hosts there are.
func TestKeysAreTheFrontsAlone(t *testing.T) {
	t.Parallel()
	p := start(t)
	own := certificate(t, "own.acme.dev")
	p.in.Certificates = []Certificate{own}
	p.load(withTLS(site("own", "own.acme.dev", "/", called(t, "web")), engine.RouteTLS{CertificateSecret: "C", PrivateKeySecret: "K"}), site("any", "", "/", called(t, "any")))
	asked := func(host, path, token string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.router.at.certificates+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		req.Header.Set(tokenHeader, token)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		said, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(said)
	}
	if status, said := asked("own.acme.dev", certificatePath, token); status != 200 || !strings.Contains(said, "PRIVATE KEY") {
		t.Errorf("the front gets %d %s", status, said)
	}
	for _, path := range []string{certificatePath, comingPath} {
		if status, said := asked("unheard.of", path, token); status != http.StatusNoContent || said != "" {
			t.Errorf("of a host that there is not the front gets %d %s", status, said)
		}
		for _, host := range []string{"own.acme.dev", "unheard.of"} {
			if status, said := asked(host, path, "wrong"); status != http.StatusNotFound || strings.Contains(said, "KEY") {
				t.Errorf("%s%s: who does not know the token gets %d %s", host, path, status, said)
			}
		}
		// Visitors are led to sites, whatever they send.
		if _, said := p.get("other.acme.dev", path, tokenHeader, token); said != "any "+path {
			t.Errorf("a visitor gets %s", said)
		}
	}
	// Nothing is issued for who names what nobody serves.
	if _, _, cert, err := p.secure("unheard.of", "/"); err == nil {
		t.Errorf("got a certificate for %v", cert.DNSNames)
	}
}

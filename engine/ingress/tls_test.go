package ingress

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// certificate signs itself for hosts.
func certificate(t testing.TB, hosts ...string) Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "own " + hosts[0]}, DNSNames: hosts, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return Certificate{
		Chain:      string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		PrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
	}
}

// secure asks over HTTPS, and answers what came and who signed it.
func (p *proxy) secure(host, path string) (*http.Response, string, *x509.Certificate, error) {
	p.t.Helper()
	transport := &http.Transport{
		DisableKeepAlives: true, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // the certificate is looked at
	}
	transport.DialContext = p.dialPort(p.in.Node.HTTPSPort)
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, fmt.Sprintf("https://%s:%d%s", host, p.in.Node.HTTPSPort, path), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return nil, "", nil, err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	return resp, string(said), resp.TLS.PeerCertificates[0], err
}

func withTLS(s Site, t engine.RouteTLS) Site {
	s.Route.TLS = &t
	return s
}

func TestTLS(t *testing.T) {
	t.Parallel()
	p := start(t)
	never := false
	own := certificate(t, "own.acme.dev", "*.own.dev")
	p.in.Certificates = []Certificate{own}
	address := serve(t, mirror)
	p.load(
		withTLS(site("internal", "internal.acme.dev", "/", address), engine.RouteTLS{Issuer: engine.IssuerInternal}),
		withTLS(site("wild", "*.wild.dev", "/", address), engine.RouteTLS{Issuer: engine.IssuerInternal, RedirectHTTP: &never}),
		withTLS(site("own", "own.acme.dev", "/", address), engine.RouteTLS{CertificateSecret: "C", PrivateKeySecret: "K"}),
		withTLS(site("ownwild", "a.own.dev", "/", address), engine.RouteTLS{CertificateSecret: "C", PrivateKeySecret: "K"}),
		withTLS(site("any", "", "/any", address), engine.RouteTLS{Issuer: engine.IssuerInternal}),
		site("open", "own.acme.dev", "/open", address),
	)
	for _, test := range []struct{ host, path, signer string }{
		{"internal.acme.dev", "/x", "Caddy Local Authority"},
		{"b.wild.dev", "/", "Caddy Local Authority"},
		{"own.acme.dev", "/", "own own.acme.dev"},
		{"a.own.dev", "/", "own own.acme.dev"},
		{"unheard.of", "/any", "Caddy Local Authority"},
	} {
		var said string
		eventually(t, test.host, func() error {
			resp, got, cert, err := p.secure(test.host, test.path)
			if err != nil {
				return err
			}
			said = got
			if resp.StatusCode != 200 || resp.ProtoMajor != 2 || !strings.HasPrefix(cert.Issuer.CommonName, test.signer) {
				return fmt.Errorf("%d %s, signed by %s", resp.StatusCode, resp.Proto, cert.Issuer)
			}
			if want := fmt.Sprintf(`h3=":%d"`, p.in.Node.HTTPSPort); !strings.Contains(resp.Header.Get("Alt-Svc"), want) {
				return fmt.Errorf("no HTTP/3: %v", resp.Header)
			}
			return nil
		})
		if !strings.Contains(said, "X-Forwarded-Proto: https\r\n") || !strings.Contains(said, "X-Forwarded-For: 127.0.0.1\r\n") {
			t.Errorf("%s: the component saw\n%s", test.host, said)
		}
	}
	if resp, _, _, err := p.secure("own.acme.dev", "/open"); err != nil || resp.StatusCode != 200 {
		t.Errorf("the longer path has no TLS of its own, so the host's other route answers: %v %v", resp, err)
	}
	for _, test := range []struct {
		host, path, location string
	}{
		{"internal.acme.dev:8080", "/x?y=z", fmt.Sprintf("https://internal.acme.dev:%d/x?y=z", p.in.Node.HTTPSPort)},
		{"own.acme.dev", "/", fmt.Sprintf("https://own.acme.dev:%d/", p.in.Node.HTTPSPort)},
		{"own.acme.dev", "/open", ""},
		{"b.wild.dev", "/", ""},
	} {
		resp, got := p.ask(http.MethodPost, test.host, test.path, "body")
		want := 200
		if test.location != "" {
			want = http.StatusPermanentRedirect
		}
		if resp.StatusCode != want || resp.Header.Get("Location") != test.location {
			t.Errorf("%s%s: got %d to %q, %s", test.host, test.path, resp.StatusCode, resp.Header.Get("Location"), got)
		}
	}
	text, err := p.front.Current(t.Context())
	if err != nil || strings.Contains(string(text), "PRIVATE KEY") || strings.Contains(string(text), "acme.dev") {
		t.Errorf("the front knows what is asked for: %v, %s", err, text)
	}
}

func TestNothingIsSignedUnasked(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.load(site("web", "shop.acme.dev", "/", called(t, "web")))
	if resp, _, _, err := p.secure("shop.acme.dev", "/"); err == nil {
		t.Errorf("got %v", resp)
	}
	if resp, got := p.get("shop.acme.dev", "/"); resp.StatusCode != 200 || got != "web /" {
		t.Errorf("got %d %s", resp.StatusCode, got)
	}
}

func TestCertificateThatIsNone(t *testing.T) {
	t.Parallel()
	good, other := certificate(t, "a.dev"), certificate(t, "b.dev")
	for name, c := range map[string]Certificate{
		"empty": {}, "text": {Chain: "secret words", PrivateKey: "secret words"}, "not a pair": {good.Chain, other.PrivateKey},
	} {
		_, err := Config(Input{Certificates: []Certificate{c}}, Router)
		if !errors.Is(err, engine.ErrInvalid) || strings.Contains(err.Error(), "secret words") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if leaf, err := good.Check(); err != nil || leaf.DNSNames[0] != "a.dev" {
		t.Errorf("got %v, %v", leaf, err)
	}
}

func TestVisitorsAddressBehindProxyProtocol(t *testing.T) {
	t.Parallel()
	p := start(t, func(in *Input) { in.ProxyProtocol = true })
	p.load(site("web", "", "/", serve(t, mirror)))
	const request = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
	say := func(text string) string {
		t.Helper()
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url(""), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, text+request)
		got, err := io.ReadAll(conn)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		return string(got)
	}
	// Version 1 is words; version 2 bytes: signature, version and command, family, length, addresses and ports.
	for _, header := range []string{
		"PROXY TCP4 203.0.113.9 198.51.100.1 1234 80\r\n",
		"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x09\xc6\x33\x64\x01\x04\xd2\x00\x50",
	} {
		if got := say(header); !strings.Contains(got, "X-Forwarded-For: 203.0.113.9\r\n") {
			t.Errorf("%q: %s", header, got)
		}
	}
	// The engine itself comes without a header.
	if got := say(""); !strings.Contains(got, "X-Forwarded-For: 127.0.0.1\r\n") {
		t.Errorf("got %s", got)
	}
}

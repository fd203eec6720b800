package ingress

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// everyNameIsHere is a name server by which every host is this machine.
func everyNameIsHere(t testing.TB) string {
	t.Helper()
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		answer := new(dns.Msg)
		answer.SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			answer.Answer = append(answer.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 1),
			})
		}
		_ = w.WriteMsg(answer)
	})
	l, err := net.Listen("tcp", "127.0.0.1:0") // Pebble asks by TCP
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{Listener: l, Handler: handler}
	go func() { _ = server.ActivateAndServe() }()
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

const pebbleConfig = `{"pebble": {
  "listenAddress": "127.0.0.1:%[2]d", "managementListenAddress": "127.0.0.1:%[3]d",
  "certificate": "%[1]s/cert.pem", "privateKey": "%[1]s/key.pem", "httpPort": %[4]d, "tlsPort": %[5]d,
  "ocspResponderURL": "", "externalAccountBindingRequired": false
}}`

// authority is a Pebble that proves hosts on the ports; it answers its directory.
func authority(t testing.TB, own Certificate, httpPort, httpsPort int) string {
	t.Helper()
	program, err := testimage.PebbleProgram()
	if err != nil {
		t.Fatal(err)
	}
	dir, listen := t.TempDir(), freePort(t)
	for name, content := range map[string]string{
		"cert.pem": own.Chain, "key.pem": own.PrivateKey,
		"config.json": fmt.Sprintf(pebbleConfig, dir, listen, freePort(t), httpPort, httpsPort),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var said strings.Builder
	cmd := exec.Command(program, "-config", filepath.Join(dir, "config.json"), "-dnsserver", everyNameIsHere(t))
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0", "PEBBLE_AUTHZREUSE=0")
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("pebble said:\n%s", said.String())
		}
	})
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM([]byte(own.Chain))
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}}}
	directory := fmt.Sprintf("https://127.0.0.1:%d/dir", listen)
	eventually(t, "pebble answers", func() error {
		resp, err := client.Get(directory)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err
	})
	return directory
}

func TestACME(t *testing.T) {
	t.Parallel()
	own := certificate(t, "acme.invalid")
	p := start(t, func(in *Input) {
		in.Node.ACMECACertificate, in.Node.ACMEEmail = own.Chain, "ops@acme.dev"
		in.Node.ACMEDirectory = authority(t, own, in.Node.HTTPPort, in.Node.HTTPSPort)
	})
	address := called(t, "web")
	var sites []Site
	for _, host := range []string{"shop.acme.dev", "blog.acme.dev"} {
		sites = append(sites, withTLS(site(host[:4], host, "/", address), engine.RouteTLS{}))
	}
	// Nobody is led to a site before its certificate is there.
	for n, s := range sites {
		p.coming(s, sites[:n]...)
	}
	if resp, _, _, err := p.secure("blog.acme.dev", "/"); err == nil {
		t.Errorf("a site that is coming is there: %d", resp.StatusCode)
	}
	p.load(sites...)
	for _, s := range sites {
		eventually(t, s.Route.Host, func() error {
			resp, got, cert, err := p.secure(s.Route.Host, "/")
			if err != nil {
				return err
			}
			if resp.StatusCode != 200 || got != "web /" || !strings.HasPrefix(cert.Issuer.CommonName, "Pebble Intermediate") || cert.VerifyHostname(s.Route.Host) != nil {
				return fmt.Errorf("%d %s, signed by %s for %v", resp.StatusCode, got, cert.Issuer, cert.DNSNames)
			}
			return nil
		})
	}
	// Who changes the issuer of a host goes on with what there is.
	inner := withTLS(sites[1], engine.RouteTLS{Issuer: engine.IssuerInternal})
	p.coming(inner, sites...)
	if _, _, cert, err := p.secure("blog.acme.dev", "/"); err != nil || !strings.HasPrefix(cert.Issuer.CommonName, "Pebble") {
		t.Errorf("while another issuer signs: %v %v", cert, err)
	}
	p.load(sites[0], inner)
	if _, _, cert, err := p.secure("blog.acme.dev", "/"); err != nil || !strings.HasPrefix(cert.Issuer.CommonName, "Caddy Local") {
		t.Errorf("after another issuer signed: %v %v", cert, err)
	}
	// It is kept, so that a proxy that comes back asks for no other.
	_, _, before, err := p.secure("shop.acme.dev", "/")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []*process{p.router, p.front} {
		one.kill()
		one.run()
	}
	eventually(t, "the same certificate", func() error {
		_, _, after, err := p.secure("shop.acme.dev", "/")
		if err == nil && !after.Equal(before) {
			t.Fatalf("the certificate is another one: %v", after.SerialNumber)
		}
		return err
	})
}

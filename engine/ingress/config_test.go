package ingress

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// many are sites of every kind.
func many(t *testing.T) Input {
	tcp := site("tcp", "", "", "10.0.0.1:5432")
	tcp.Route.Protocol, tcp.Route.ListenPort = engine.RouteTCP, 5432
	canary := site("canary", "shop.acme.dev", "/beta", "10.0.0.2:80", "unix//run/slipway/door.sock")
	canary.Backends[1].Canary, canary.CanaryWeight = true, 25
	headers := site("headers", "shop.acme.dev", "/h", "10.0.0.2:80")
	headers.Route.RequestHeaders = map[string]string{"A": "1", "B": "", "C": "{x}", "D": ""}
	coming := withTLS(site("acme", "a.dev", "/"), engine.RouteTLS{Issuer: engine.IssuerInternal})
	coming.Coming = true
	return Input{
		Node: engine.NodeIngress{TCPPorts: []int{5432}, ACMEEmail: "ops@acme.dev"},
		Sites: []Site{
			tcp, canary, headers, coming,
			site("root", "shop.acme.dev", "/", "10.0.0.2:80"), site("any", "", "/", "10.0.0.2:80"), site("wild", "*.acme.dev", "/", "10.0.0.2:80"),
			withTLS(site("acme", "a.dev", "/", "10.0.0.2:80"), engine.RouteTLS{Issuer: engine.IssuerACME}),
			withTLS(site("internal", "b.dev", "/", "10.0.0.2:80"), engine.RouteTLS{Issuer: engine.IssuerInternal}),
			withTLS(site("own", "c.dev", "/", "10.0.0.2:80"), engine.RouteTLS{CertificateSecret: "C", PrivateKeySecret: "K"}),
		},
		Certificates: []Certificate{certificate(t, "c.dev"), certificate(t, "d.dev")},
	}
}

func TestConfigIsTheSameForTheSame(t *testing.T) {
	t.Parallel()
	in := many(t)
	for _, component := range []string{Front, Router} {
		want, err := Config(in, component)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			rand.Shuffle(len(in.Sites), func(i, j int) { in.Sites[i], in.Sites[j] = in.Sites[j], in.Sites[i] })
			slices.Reverse(in.Certificates)
			if got, err := Config(in, component); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%s, %v: got\n%s\nwant\n%s", component, err, got, want)
			}
		}
	}
}

// The front's configuration must not change with what is deployed: its visitors
// might notice.
func TestFrontNeverChanges(t *testing.T) {
	t.Parallel()
	in := many(t)
	before, err := Config(in, Front)
	if err != nil {
		t.Fatal(err)
	}
	for _, none := range []Input{{Node: in.Node}, {Node: in.Node, Certificates: []Certificate{certificate(t, "e.dev")}}} {
		if after, err := Config(none, Front); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%v: was\n%s\nis\n%s", err, before, after)
		}
	}
	// The authority is the router's to ask, too.
	in.Node.ACMEDirectory, in.Node.ACMEEmail = "https://ca.acme.dev/dir", "other@acme.dev"
	if after, err := Config(in, Front); err != nil || !bytes.Equal(before, after) {
		t.Errorf("%v: was\n%s\nis\n%s", err, before, after)
	}
}

func TestConfigTellsWhichSiteIsWrong(t *testing.T) {
	t.Parallel()
	s := site("web", "", "/", "10.0.0.1:80")
	s.Route.MaxBodySize = "much"
	_, err := Config(Input{Sites: []Site{s}}, Router)
	all := engine.All(err)
	if len(all) != 1 || all[0].Field != "acme/test/shop/web/web.max_body_size" {
		t.Errorf("got %+v", all)
	}
}

func TestComponents(t *testing.T) {
	t.Parallel()
	n := engine.NodeIngress{HTTPPort: 8080, TCPPorts: []int{5432}, ACMECACertificate: "PEM"}
	all, err := Components(Input{Node: n, ProxyProtocol: true}, "registry.acme.dev/caddy:2@sha256:"+strings.Repeat("a", 64))
	if err != nil {
		t.Fatal(err)
	}
	if err := catalog.ValidateComponents(all); err != nil {
		t.Error(err)
	}
	front, router := all[Front], all[Router]
	if p := front.Ports["http"]; p.ContainerPort != 8080 || *p.HostPort != 8080 || *front.Ports["https"].HostPort != 443 || front.Ports["http3"].Protocol != "udp" {
		t.Errorf("front %+v", front.Ports)
	}
	if len(router.Ports) != 1 || *router.Ports["tcp-5432"].HostPort != 5432 {
		t.Errorf("router %+v", router.Ports)
	}
	if router.Files[acmeCAFile].Content != "PEM" || router.Volumes["data"].Path != dataDir || front.Volumes["data"].Path != "" {
		t.Errorf("files %+v", router.Files)
	}
	for name, want := range map[string]bool{"http": true, "https": true, "http3": false} {
		if front.Ports[name].ProxyProtocol != want {
			t.Errorf("%s: %+v", name, front.Ports[name])
		}
	}
	for name, c := range all {
		if !json.Valid([]byte(c.Files[bootFile].Content)) || !slices.Equal(c.Secrets, []string{EnvToken}) {
			t.Errorf("%s: %+v", name, c)
		}
		for port := range c.Ports {
			if slices.Contains([]int{ControlPort, routerPort, certificatePort, askPort}, c.Ports[port].ContainerPort) {
				t.Errorf("%s publishes what only the engine may reach", name)
			}
		}
	}
}

func TestDeclared(t *testing.T) {
	for field, want := range map[string]string{
		"components.front.ports.http.host_port":              "http_port",
		"components.front.ports.http3.host_port":             "https_port",
		"components.slipway-router.ports.tcp-5432.host_port": "tcp_ports",
		"components.front.image":                             "",
		"":                                                   "",
	} {
		if got := Declared(field); got != want {
			t.Errorf("%q is %q, want %q", field, got, want)
		}
	}
}

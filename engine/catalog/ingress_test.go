package catalog

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

func TestValidateIngress(t *testing.T) {
	type I = engine.NodeIngress
	for name, test := range map[string]struct {
		ingress       I
		field, reason string
	}{
		"nothing said":     {I{}, "", ""},
		"everything said":  {I{HTTPPort: 8080, HTTPSPort: 8443, TCPPorts: []int{5432, 6379}, Image: "localhost/caddy:1", ACMEEmail: "ops@acme.dev", ACMEDirectory: "https://ca.acme.dev:14000/dir"}, "", ""},
		"port":             {I{HTTPPort: 65536}, "http_port", "not a port"},
		"negative":         {I{HTTPSPort: -1}, "https_port", "not a port"},
		"same":             {I{HTTPPort: 443}, "https_port", "already that of http_port"},
		"tcp port":         {I{TCPPorts: []int{0}}, "tcp_ports.0", "not a port"},
		"tcp port of http": {I{TCPPorts: []int{80}}, "tcp_ports.0", "already that of http_port"},
		"tcp port twice":   {I{TCPPorts: []int{5432, 5432}}, "tcp_ports.1", "already that of tcp_ports.0"},
		"image":            {I{Image: "UPPER"}, "image", "not an image reference"},
		"email":            {I{ACMEEmail: "ops"}, "acme_email", "not an e-mail address"},
		"name and email":   {I{ACMEEmail: "Ops <ops@acme.dev>"}, "acme_email", "not an e-mail address"},
		"plain directory":  {I{ACMEDirectory: "http://ca.acme.dev"}, "acme_directory", "https://host/path"},
		"no directory":     {I{ACMEDirectory: "ca.acme.dev"}, "acme_directory", "https://host/path"},
		"credentials":      {I{ACMEDirectory: "https://a:secret@ca.acme.dev"}, "acme_directory", "without credentials"},
		"certificate":      {I{ACMECACertificate: "x"}, "acme_ca_certificate", "PEM"},
		"broken one":       {I{ACMECACertificate: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"}, "acme_ca_certificate", "not of a certificate"},
		"its own port":     {I{HTTPSPort: 2081}, "https_port", "uses itself"},
		"its own tcp port": {I{TCPPorts: []int{5432, 2083}}, "tcp_ports.1", "uses itself"},
	} {
		t.Run(name, func(t *testing.T) {
			field := test.field
			if field != "" {
				field = "ingress." + field
			}
			err := ValidateNode(engine.Node{TeamID: "acme", Name: "here", Kind: engine.NodeLocal, Ingress: &test.ingress})
			wantComplaint(t, err, engine.ErrInvalid, field, test.reason)
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Error("the error repeats credentials")
			}
		})
	}
}

func TestWholeCertificateIsTaken(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"ca.acme.dev"}}
	der, err := x509.CreateCertificate(nil, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		der  []byte
		good bool
	}{{der, true}, {der[:len(der)-1], false}, {append(slices.Clone(der), 0), false}} {
		text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: test.der}))
		if err := checkCertificates("acme_ca_certificate", text); (err == nil) != test.good {
			t.Errorf("of %d bytes: %v, want it taken: %v", len(test.der), err, test.good)
		}
	}
}

func TestCheckIngressPorts(t *testing.T) {
	for name, test := range map[string]struct {
		ingress *engine.NodeIngress
		lowest  int
		fields  []string
	}{
		"no ingress":   {nil, 1024, nil},
		"root":         {&engine.NodeIngress{}, 1, nil},
		"high ports":   {&engine.NodeIngress{HTTPPort: 8080, HTTPSPort: 8443, TCPPorts: []int{5432}}, 1024, nil},
		"the defaults": {&engine.NodeIngress{}, 1024, []string{"ingress.http_port", "ingress.https_port"}},
		"tcp":          {&engine.NodeIngress{HTTPPort: 8080, HTTPSPort: 8443, TCPPorts: []int{5432, 25}}, 1024, []string{"ingress.tcp_ports.1"}},
		"a sysctl":     {&engine.NodeIngress{}, 80, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := complaints(t, CheckIngressPorts(engine.Node{Ingress: test.ingress}, test.lowest), engine.ErrUnsupported)
			if len(got) != len(test.fields) {
				t.Fatalf("complaints %q, want those of %q", got, test.fields)
			}
			for i, field := range test.fields {
				if !strings.HasPrefix(got[i], field+": ") {
					t.Errorf("complaint %q, want one of %s", got[i], field)
				}
			}
		})
	}
}

func TestCheckRoutes(t *testing.T) {
	web := one(engine.Component{Routes: map[string]engine.Route{"web": {Port: 80}}})
	db := one(engine.Component{Routes: map[string]engine.Route{"db": {Protocol: engine.RouteTCP, Port: 5432, ListenPort: 5432}}})
	node := func(ingress *engine.NodeIngress) engine.Node { return engine.Node{ID: "acme/here", Ingress: ingress} }
	for name, test := range map[string]struct {
		node          engine.Node
		components    map[string]engine.Component
		field, reason string
	}{
		"no ingress":   {node(nil), web, "environment_id", "components.api.routes.web needs an ingress, and node acme/here has none"},
		"no routes":    {node(nil), one(engine.Component{}), "", ""},
		"not known":    {engine.Node{}, web, "", ""},
		"ingress":      {node(&engine.NodeIngress{}), web, "", ""},
		"no tcp ports": {node(&engine.NodeIngress{}), db, "version", "wants port 5432"},
		"tcp port":     {node(&engine.NodeIngress{TCPPorts: []int{1, 5432}}), db, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			wantComplaint(t, CheckRoutes(test.node, test.components), engine.ErrConflict, test.field, test.reason)
		})
	}
}

func TestCheckIngressChange(t *testing.T) {
	used := PlaceOwners{}
	used.Add("acme/production/shop", Claim{"shop.acme.dev/", "api", "web"}, Claim{"tcp port 5432", "db", "sql"})
	for name, test := range map[string]struct {
		ingress *engine.NodeIngress
		used    PlaceOwners
		reasons []string
	}{
		"taken away":       {nil, used, []string{"ingress: the ingress of node acme/here is used by route web of component api of deployment acme/production/shop", "ingress: the ingress of node acme/here is used by route sql"}},
		"unused":           {nil, nil, nil},
		"port taken away":  {&engine.NodeIngress{TCPPorts: []int{1}}, used, []string{"ingress.tcp_ports: tcp port 5432 of node acme/here is used by route sql of component db"}},
		"other ports":      {&engine.NodeIngress{HTTPPort: 8080, TCPPorts: []int{5432}}, used, nil},
		"more of the same": {&engine.NodeIngress{TCPPorts: []int{1, 5432}}, used, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := complaints(t, CheckIngressChange(engine.Node{ID: "acme/here", Ingress: test.ingress}, test.used), engine.ErrConflict)
			if len(got) != len(test.reasons) {
				t.Fatalf("complaints %q, want %q", got, test.reasons)
			}
			for i, reason := range test.reasons {
				if !strings.HasPrefix(got[i], reason) {
					t.Errorf("complaint %q, want %q", got[i], reason)
				}
			}
		})
	}
}

func TestRouteURLs(t *testing.T) {
	tls := &engine.RouteTLS{}
	cs := one(engine.Component{Routes: map[string]engine.Route{
		"plain": {Host: "Shop.acme.dev"}, "path": {Host: "shop.acme.dev", PathPrefix: "/api/"}, "tls": {Host: "shop.acme.dev", TLS: tls},
		"any": {}, "tcp": {Protocol: engine.RouteTCP, ListenPort: 5432},
	}})
	for name, test := range map[string]struct {
		node    engine.Node
		address string
		want    map[string]string
	}{
		"usual ports": {engine.Node{Ingress: &engine.NodeIngress{}}, "192.0.2.1", map[string]string{
			"api/plain": "http://shop.acme.dev", "api/path": "http://shop.acme.dev/api", "api/tls": "https://shop.acme.dev",
			"api/any": "http://192.0.2.1", "api/tcp": "tcp://192.0.2.1:5432",
		}},
		"other ports, no address": {engine.Node{Ingress: &engine.NodeIngress{HTTPPort: 8080, HTTPSPort: 8443}}, "", map[string]string{
			"api/plain": "http://shop.acme.dev:8080", "api/path": "http://shop.acme.dev:8080/api", "api/tls": "https://shop.acme.dev:8443",
			"api/any": "", "api/tcp": "",
		}},
		"IPv6": {engine.Node{Ingress: &engine.NodeIngress{}}, "::1", map[string]string{
			"api/plain": "http://shop.acme.dev", "api/path": "http://shop.acme.dev/api", "api/tls": "https://shop.acme.dev",
			"api/any": "http://[::1]", "api/tcp": "tcp://[::1]:5432",
		}},
		"not known": {engine.Node{}, "192.0.2.1", map[string]string{"api/plain": "", "api/path": "", "api/tls": "", "api/any": "", "api/tcp": ""}},
	} {
		if got := RouteURLs(cs, test.node, test.address); !maps.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestValidateStrategies(t *testing.T) {
	type S = engine.Strategy
	canary := func(c engine.Canary) func(*S) { return func(s *S) { s.Type, s.Canary = engine.StrategyCanary, &c } }
	weights := func(all ...int) func(*S) {
		var c engine.Canary
		for _, w := range all {
			c.Steps = append(c.Steps, engine.CanaryStep{Weight: w})
		}
		return canary(c)
	}
	for name, test := range map[string]struct {
		change        func(*S)
		field, reason string
	}{
		"recreate":           {func(s *S) { s.Type = "recreate" }, "", ""},
		"blue_green":         {func(s *S) { s.Type, s.KeepOldFor = "blue_green", "10m" }, "", ""},
		"bad time":           {func(s *S) { s.Type, s.KeepOldFor = "blue_green", "ever" }, "strategy.keep_old_for", "ever"},
		"kept while rolling": {func(s *S) { s.KeepOldFor = "10m" }, "strategy.keep_old_for", "blue_green"},
		"canary":             {func(s *S) { s.Type = "canary" }, "", ""},
		"canary in full":     {canary(engine.Canary{Steps: []engine.CanaryStep{{Weight: 1, Pause: "1s"}, {Weight: 99}}, MaxErrorRate: ptr(0.0), MaxLatency: "300ms", MinRequests: 1}), "", ""},
		"canary, rolling":    {func(s *S) { s.Canary = &engine.Canary{} }, "strategy.canary", `type = "rolling"`},
		"weight 0":           {weights(0), "strategy.canary.steps.0.weight", "use 1 to 99"},
		"weight 100":         {weights(50, 100), "strategy.canary.steps.1.weight", "use 1 to 99"},
		"weights fall":       {weights(50, 20), "strategy.canary.steps.1.weight", "not more than the 50"},
		"weights stay":       {weights(50, 50), "strategy.canary.steps.1.weight", "not more than the 50"},
		"pause 0":            {canary(engine.Canary{Steps: []engine.CanaryStep{{Weight: 1, Pause: "0s"}}}), "strategy.canary.steps.0.pause", "above zero"},
		"pause":              {canary(engine.Canary{Steps: []engine.CanaryStep{{Weight: 1, Pause: "soon"}}}), "strategy.canary.steps.0.pause", "soon"},
		"rate":               {canary(engine.Canary{MaxErrorRate: ptr(1.5)}), "strategy.canary.max_error_rate", "use 0 to 1"},
		"latency":            {canary(engine.Canary{MaxLatency: "0s"}), "strategy.canary.max_latency", "above zero"},
		"requests":           {canary(engine.Canary{MinRequests: -1}), "strategy.canary.min_requests", "-1"},
	} {
		t.Run(name, func(t *testing.T) {
			d := engine.Deployment{EnvironmentID: "acme/production", Prefix: "shop", Version: "acme/shop/1.0.0", Strategy: engine.DefaultStrategy}
			test.change(&d.Strategy)
			wantComplaint(t, ValidateDeployment(d), engine.ErrInvalid, test.field, test.reason)
		})
	}
}

func TestCanaryDefaults(t *testing.T) {
	c := engine.Canary{}.Whole()
	if len(c.Steps) != 2 || c.Steps[0] != (engine.CanaryStep{Weight: 10, Pause: "30s"}) || *c.MaxErrorRate != 0.01 || c.MinRequests != 10 || c.MaxLatency != "" {
		t.Errorf("got %+v", c)
	}
	written := engine.Canary{Steps: []engine.CanaryStep{{Weight: 5}}, MaxErrorRate: ptr(0.0), MinRequests: 3}
	if got := written.Whole(); got.Steps[0].Pause != "30s" || *got.MaxErrorRate != 0 || got.MinRequests != 3 {
		t.Errorf("got %+v", got)
	}
	if written.Steps[0].Pause != "" {
		t.Error("the input changed")
	}
}

func TestIdleStrategy(t *testing.T) {
	with := func(r engine.Route) map[string]engine.Component {
		return one(engine.Component{Image: "a", Routes: map[string]engine.Route{"web": r}})
	}
	for name, test := range map[string]struct {
		kind       string
		components map[string]engine.Component
		idle       bool
	}{
		"rolling":          {"rolling", shop(), false},
		"canary":           {"canary", with(engine.Route{Port: 80}), false},
		"canary, nothing":  {"canary", shop(), true},
		"canary, only tcp": {"canary", with(engine.Route{Protocol: "tcp"}), true},
	} {
		if got := IdleStrategy(engine.Strategy{Type: test.kind}, test.components); (got != "") != test.idle {
			t.Errorf("%s: %q", name, got)
		}
	}
}

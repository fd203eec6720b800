package ingress

import "github.com/slipwayhq/terraform-provider-slipway/engine"

// tokenHeader tells the router that a request came through the front.
const tokenHeader = "X-Slipway-Token"

// frontApps take visitors' connections, and hand their requests to the router.
//
// Caddy cannot change its configuration without closing connections under
// requests: those that are kept for the next one, and those that it took but has
// not read from. So visitors' connections are taken by one Caddy, whose
// configuration seldom changes, and requests are led by another. What that one
// drops on its connection to the front, the front sends again: unread requests
// only, because bodies are not sent before they are asked for.
func (in Input) frontApps(sites []Site) (object, error) {
	secrets, err := in.tls(sites)
	if err != nil {
		return nil, err
	}
	// gRPC speaks in both directions at once, which HTTP/1 does not.
	routes := []object{
		{"match": []object{{"header": object{"Content-Type": []string{"application/grpc*"}}}}, "handle": []object{in.toRouter("h2c", "2")}, "terminal": true},
		{"handle": []object{in.toRouter("1.1")}},
	}
	plain := server(httpPort(in.Node), routes)
	plain["protocols"] = []string{"h1", "h2c"}
	secure := server(httpsPort(in.Node), routes)
	secure["tls_connection_policies"] = secrets.policies
	if in.ProxyProtocol {
		// The engine itself comes without a header.
		header := object{"wrapper": "proxy_protocol", "timeout": "5s", "fallback_policy": "USE"}
		plain["listener_wrappers"] = []object{header}
		secure["listener_wrappers"] = []object{header, {"wrapper": "tls"}}
	}
	return object{
		"http": in.httpApp(object{"http": plain, "https": secure}),
		"tls":  secrets.app,
		"pki":  object{"certificate_authorities": object{"local": object{"install_trust": false}}},
	}, nil
}

// forged are headers that components may take for a proxy's word, and that Caddy
// itself leaves as visitors send them.
var forged = []string{
	"Forwarded", "X-Real-Ip", "X-Forwarded-By", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Scheme",
	"X-Forwarded-Server", "X-Forwarded-Ssl", "X-Original-Forwarded-For",
}

func (in Input) toRouter(versions ...string) object {
	return object{
		"handler":   "reverse_proxy",
		"upstreams": []object{{"dial": in.place().router}},
		"transport": object{
			"protocol": "http", "versions": versions, "compression": false, "dial_timeout": "2s",
			"expect_continue_timeout": "10s", "keep_alive": object{"idle_timeout": "30s", "max_idle_conns_per_host": 512},
		},
		"headers": object{
			"request": object{"delete": forged, "set": object{"Expect": []string{"100-continue"}, tokenHeader: []string{"{env." + EnvToken + "}"}}},
		},
		"load_balancing":     object{"try_duration": "5s", "try_interval": "10ms", "retry_match": []object{{"path": []string{"*"}}}},
		"stream_close_delay": streamsOutlive.String(),
	}
}

// acme asks the node's authority, and proves hosts on the ports that are listened
// on anyway.
func (in Input) acme() object {
	n := in.Node
	issuer := object{"module": engine.IssuerACME, "challenges": object{
		"http": object{"alternate_port": httpPort(n)}, "tls-alpn": object{"alternate_port": httpsPort(n)},
	}}
	if n.ACMEEmail != "" {
		issuer["email"] = literal(n.ACMEEmail)
	}
	if n.ACMEDirectory != "" {
		issuer["ca"] = literal(n.ACMEDirectory)
	}
	if n.ACMECACertificate != "" {
		issuer["trusted_roots_pem_files"] = []string{in.place().acmeCA}
	}
	return issuer
}

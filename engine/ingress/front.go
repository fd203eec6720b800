package ingress

import "time"

// tokenHeader tells the router that a request came through the front.
const tokenHeader = "X-Slipway-Token"

// frontApps take visitors' connections, and hand their requests to the router.
// They are a matter of the node's declaration alone: what is deployed there, and
// its certificates, are asked for, see askedTLS.
//
// Caddy cannot change its configuration without closing connections under
// requests: those that are kept for the next one, and those that it took but has
// not read from. So visitors' connections are taken by one Caddy, whose
// configuration stays as it is, and requests are led by another. What that one
// drops on its connection to the front, the front sends again: unread requests
// only, because bodies are not sent before they are asked for.
func (in Input) frontApps() object {
	// gRPC speaks in both directions at once, which HTTP/1 does not.
	routes := []object{
		{"match": []object{{"header": object{"Content-Type": []string{"application/grpc*"}}}}, "handle": []object{in.toRouter("h2c", "2")}, "terminal": true},
		{"handle": []object{in.toRouter("1.1")}},
	}
	plain := server(httpPort(in.Node), routes)
	plain["protocols"] = []string{"h1", "h2c"}
	secure := server(httpsPort(in.Node), routes)
	secure["tls_connection_policies"] = []object{{}}
	if in.ProxyProtocol {
		// The engine itself comes without a header.
		header := object{"wrapper": "proxy_protocol", "timeout": "5s", "fallback_policy": "USE"}
		plain["listener_wrappers"] = []object{header}
		secure["listener_wrappers"] = []object{header, {"wrapper": "tls"}}
	}
	return object{
		"http": in.httpApp(object{"http": plain, "https": secure, "asks": in.askServer()}),
		"tls":  in.askedTLS(),
	}
}

// forged are headers that components may take for a proxy's word, and that Caddy
// itself leaves as visitors send them.
var forged = []string{
	"Forwarded", "X-Real-Ip", "X-Forwarded-By", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Scheme",
	"X-Forwarded-Server", "X-Forwarded-Ssl", "X-Original-Forwarded-For",
}

// sentAgainFor bounds how old a request may be that the front sends again. It is
// longer than requests wait where there are more than the node can serve: else a
// change of the router would lose those that it keeps waiting.
const sentAgainFor = 30 * time.Second

// continueTimeout is how long a body waits until it is asked for.
const continueTimeout = "10s"

var anything = []object{{"path": []string{"*"}}}

func (in Input) toRouter(versions ...string) object {
	return proxyToRouter(in.place().router, object{}, versions...)
}

// proxyToRouter hands requests to a server of the router, with more headers.
func proxyToRouter(address string, set object, versions ...string) object {
	set["Expect"], set[tokenHeader] = []string{"100-continue"}, []string{"{env." + EnvToken + "}"}
	return object{
		"handler":   "reverse_proxy",
		"upstreams": []object{{"dial": address}},
		"transport": object{
			"protocol": "http", "versions": versions, "compression": false, "dial_timeout": "2s",
			"expect_continue_timeout": continueTimeout, "keep_alive": object{"idle_timeout": "30s", "max_idle_conns_per_host": 512},
		},
		"headers": object{
			"request": object{"delete": forged, "set": set},
		},
		"load_balancing":     object{"try_duration": sentAgainFor.String(), "try_interval": "20ms", "retry_match": anything},
		"stream_close_delay": streamsOutlive.String(),
	}
}

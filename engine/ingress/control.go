package ingress

import "github.com/slipwayhq/terraform-provider-slipway/engine"

// EnvToken is the environment variable of the proxy that holds the secret which
// the engine shows to command it. It has no asterisk.
const EnvToken = "SLIPWAY_INGRESS_TOKEN" //nolint:gosec // a name

// ControlPort is where the engine speaks to the proxy. It is never published.
const ControlPort = engine.FirstIngressPort + 1

const controlServer = "control"

// What is asked of the control port. Under adminPath is Caddy's own API; what is
// under viaPath goes to the upstream that the headers name; under connectionsPath
// are the connections that are open.
const (
	healthPath      = "/healthz"
	adminPath       = "/admin"
	viaPath         = "/via"
	connectionsPath = "/connections"
	upstreamHeader  = "X-Slipway-Upstream"
	protocolHeader  = "X-Slipway-Protocol"
)

// around puts the apps beside what every configuration has.
func (p place) around(apps object) object {
	return object{
		"admin":   object{"listen": p.socket("admin")},
		"logging": object{"logs": object{"default": object{"level": "WARN", "exclude": []string{"admin"}}}},
		"apps":    apps,
	}
}

// controlServer lets the engine in to what listens on a socket only, and through
// the proxy to any instance.
func (p place) controlServer() object {
	routes := []object{
		{"match": []object{{"path": []string{healthPath}}}, "handle": []object{answer("200", "OK")}, "terminal": true},
		forEngine(adminPath, object{}, object{
			"handler": "reverse_proxy", "upstreams": []object{{"dial": p.socket("admin")}},
			"transport": object{"protocol": "http", "keep_alive": object{"enabled": false}},
			"headers": object{"request": object{
				"set": object{"Host": []string{"localhost"}}, "delete": []string{"Authorization", "Origin", "Referer", "Sec-*"},
			}},
		}),
	}
	for _, name := range tables {
		routes = append(routes, forEngine(connectionsPath+"/"+name, object{}, table(name)))
	}
	for _, protocol := range []string{engine.RouteHTTP, engine.RouteH2C, engine.RouteHTTPS} {
		routes = append(routes, forEngine(viaPath, object{protocolHeader: []string{protocol}}, via(protocol)))
	}
	control := server(p.control, append(routes, nobody))
	control["protocols"] = []string{"h1"}
	// Who asks wants to know more than visitors do.
	control["errors"] = object{"routes": []object{{"handle": []object{answer("{http.error.status_code}", "{http.error.message}")}}}}
	return control
}

// forEngine is a route for who knows the token.
func forEngine(path string, header object, handler object) object {
	header["Authorization"] = []string{"Bearer {env." + EnvToken + "}"}
	return object{
		"match":    []object{{"path": []string{path, path + "/*"}, "header": header}},
		"handle":   []object{{"handler": "rewrite", "strip_path_prefix": path}, handler},
		"terminal": true,
	}
}

// via hands a request to the upstream that it names.
func via(protocol string) object {
	transport := object{"protocol": "http", "dial_timeout": "2s", "keep_alive": object{"enabled": false}, "versions": []string{"1.1"}}
	switch protocol {
	case engine.RouteH2C:
		transport["versions"] = []string{"h2c", "2"}
	case engine.RouteHTTPS:
		transport["tls"] = object{"insecure_skip_verify": true, "server_name": "{http.request.host}"}
	}
	return object{
		"handler": "reverse_proxy", "transport": transport,
		"upstreams": []object{{"dial": "{http.request.header." + upstreamHeader + "}"}},
		"headers": object{
			"request":  object{"delete": []string{"Authorization", upstreamHeader, protocolHeader}},
			"response": object{"delete": []string{ownAnswer}},
		},
	}
}

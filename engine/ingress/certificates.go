package ingress

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What the front asks itself, by a port that only it can reach, and the router
// answers at certificatePort.
const (
	certificatePath = "/certificate"
	comingPath      = "/coming" // asked by the engine
	neverPath       = "/never"
)

// certificateAsks is how often a visitor's certificate is asked for at most: its
// key and its chain are two files, which do not belong together for the moment in
// which they are renewed.
const certificateAsks = 3

// askedTLS are certificates that are not known before a visitor names a host:
// the router is asked for each. Nothing is kept, so that the visitor after a
// change gets the certificate after the change; nothing is issued here.
func (in Input) askedTLS() object {
	ask := object{"via": "http", "url": in.place().ask(certificatePath)}
	return object{
		"automation": object{
			"policies":  []object{{"get_certificate": slices.Repeat([]object{ask}, certificateAsks)}},
			"on_demand": object{"permission": object{"module": "http", "endpoint": in.place().ask(neverPath)}},
		},
		"disable_storage_clean": true,
	}
}

// askServer takes what Caddy asks of itself to the router: with the token, which
// Caddy's own question cannot carry, and again where the router is just changing
// its configuration. The name that the visitor wants is the host.
func (in Input) askServer() object {
	p := in.place()
	toRouter := proxyToRouter(p.certificates, object{"Host": []string{"{http.request.uri.query.server_name}"}}, "1.1")
	s := serverAt("127.0.0.1:"+strconv.Itoa(p.asks), []object{
		{"match": []object{{"path": []string{certificatePath}}}, "handle": []object{toRouter}, "terminal": true},
		{"handle": []object{answer("403", "Forbidden")}},
	})
	s["protocols"] = []string{"h1"}
	return s
}

func (p place) ask(path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", p.asks, path) }

// certificateServer answers the front with the chain and the key for a host, or
// that there is none (204), and the engine with what is coming.
func (in Input) certificateServer(t issued) object {
	var routes []object
	for _, a := range t.answers {
		routes = append(routes, forHost(certificatePath, a.host, pemAnswer(a.key+a.chain)))
	}
	for _, a := range t.coming {
		routes = append(routes, forHost(comingPath, a.host, pemAnswer(a.chain)))
	}
	none := object{"handler": "static_response", "status_code": "204"}
	routes = append(routes, forHost(certificatePath, "", none), forHost(comingPath, "", none), nobody)
	s := server(portOf(in.place().certificates), routes)
	s["protocols"] = []string{"h1"}
	return s
}

// forHost is a route for who knows the token, and asks for a host, or any.
func forHost(path, host string, handler object) object {
	m := object{"path": []string{path}, "header": object{tokenHeader: []string{"{env." + EnvToken + "}"}}}
	if host != "" {
		m["host"] = []string{host}
	}
	return object{"match": []object{m}, "handle": []object{handler}, "terminal": true}
}

func pemAnswer(body string) object {
	return object{"handler": "static_response", "status_code": "200", "headers": object{"Content-Type": []string{"application/x-pem-file"}}, "body": body}
}

// stored is the key and the chain that Caddy got from an issuer, where Caddy keeps
// them; nothing as long as they are not there. Who renews them writes the key first.
func (p place) stored(issuer, host string) pair {
	name := asStored(host)
	file := path.Join(p.data, "caddy", "certificates", asStored(issuer), name, name)
	return pair{"{file." + file + ".key}\n", "{file." + file + ".crt}\n"}
}

var notStored = regexp.MustCompile(`[^\w@.-]`)

// asStored is a name as Caddy writes it in its storage.
func asStored(name string) string {
	name = strings.NewReplacer("+", "_plus_", "*", "wildcard_", ":", "-", "..", "").Replace(strings.ToLower(name))
	return notStored.ReplaceAllLiteralString(name, "")
}

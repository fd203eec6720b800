package ingress

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// object is a JSON object: its keys come out in order.
type object = map[string]any

// Names of the servers that visitors speak to.
const (
	plainServer  = "http"
	secureServer = "https"
)

// Config is the configuration that makes all sites reachable.
func Config(in Input) ([]byte, error) {
	sites := slices.Clone(in.Sites)
	slices.SortFunc(sites, bySpecificity)
	all := configuration{in: in, at: in.place(), servers: object{}, tcp: object{}}
	for _, s := range sites {
		if err := all.add(s); err != nil {
			return nil, engine.At(s.ID(), err)
		}
	}
	secrets, err := all.tls(sites)
	if err != nil {
		return nil, err
	}
	all.visitors(secrets.policies)
	all.servers[controlServer] = all.at.controlServer()
	apps := object{
		"http": object{
			"http_port": httpPort(in.Node), "https_port": httpsPort(in.Node),
			"servers": all.servers, "metrics": object{},
		},
		"tls": secrets.app,
		"pki": object{"certificate_authorities": object{"local": object{"install_trust": false}}},
	}
	if len(all.tcp) > 0 {
		apps["layer4"] = object{"servers": all.tcp}
	}
	return json.Marshal(all.at.around(apps))
}

// configuration grows by one site after the other.
type configuration struct {
	in            Input
	at            place
	plain, secure []object // routes of the servers that visitors speak to
	servers       object   // of HTTP
	tcp           object   // servers of TCP
}

func (c *configuration) add(s Site) error {
	if s.Route.Protocol == engine.RouteTCP {
		c.addTCP(s)
		return nil
	}
	handlers, err := c.handlers(s)
	if err != nil {
		return err
	}
	route := object{"match": []object{matcher(s.Route)}, "handle": handlers, "terminal": true}
	if s.Route.TLS == nil {
		c.plain = append(c.plain, route)
		return nil
	}
	c.secure = append(c.secure, route)
	if s.Route.TLS.RedirectHTTP == nil || *s.Route.TLS.RedirectHTTP {
		route = object{"match": []object{matcher(s.Route)}, "handle": []object{c.redirect()}, "terminal": true}
	}
	c.plain = append(c.plain, route)
	return nil
}

// visitors adds the servers that visitors speak to. Both are always there, so
// that a new route never waits for a listener.
func (c *configuration) visitors(policies []object) {
	wrappers := []object{}
	if c.in.ProxyProtocol {
		// The engine itself comes without a header.
		wrappers = append(wrappers, object{"wrapper": "proxy_protocol", "timeout": "5s", "fallback_policy": "USE"})
	}
	plain := server(httpPort(c.in.Node), append(c.plain, nobody))
	plain["protocols"] = []string{"h1", "h2c"}
	secure := server(httpsPort(c.in.Node), append(c.secure, nobody))
	secure["tls_connection_policies"] = policies
	if len(wrappers) > 0 {
		plain["listener_wrappers"] = wrappers
		secure["listener_wrappers"] = append(wrappers, object{"wrapper": "tls"})
	}
	c.servers[plainServer], c.servers[secureServer] = plain, secure
}

// bySpecificity puts in front what is asked first: the sites of one host, then
// those of wildcards, then those of any host; of each the longer path first.
func bySpecificity(a, b Site) int {
	return cmp.Or(
		cmp.Compare(hostClass(a.Route.Host), hostClass(b.Route.Host)),
		cmp.Compare(len(b.Route.Host), len(a.Route.Host)),
		cmp.Compare(len(prefix(b.Route)), len(prefix(a.Route))),
		strings.Compare(a.ID(), b.ID()),
	)
}

func hostClass(host string) int {
	switch {
	case host == "":
		return 2
	case strings.HasPrefix(host, "*."):
		return 1
	default:
		return 0
	}
}

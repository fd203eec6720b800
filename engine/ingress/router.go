package ingress

import (
	"net/http"
	"regexp"
	"strconv"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// routing grows by one site after the other.
type routing struct {
	in            Input
	plain, secure []object // routes for those who came without TLS, and with it
	servers       object   // of HTTP
	tcp           object   // servers of TCP
}

// routerApps lead requests and TCP connections to instances, and have the
// certificates.
func (in Input) routerApps(sites []Site) (object, error) {
	all := routing{in: in, servers: object{}, tcp: object{}}
	for _, s := range sites {
		if s.Coming {
			continue
		}
		if err := all.add(s); err != nil {
			return nil, engine.At(s.ID(), err)
		}
	}
	router := server(portOf(in.place().router), append(append(all.secure, all.plain...), nobody))
	router["protocols"] = []string{"h1", "h2c"}
	secrets, err := in.tls(sites)
	if err != nil {
		return nil, err
	}
	all.servers["router"], all.servers["certificates"] = router, in.certificateServer(secrets)
	apps := object{
		"http": in.httpApp(all.servers),
		"tls":  secrets.app,
		"pki":  object{"certificate_authorities": object{localAuthority: object{"install_trust": false}}},
	}
	if len(all.tcp) > 0 {
		apps["layer4"] = object{"servers": all.tcp}
	}
	return apps, nil
}

func (c *routing) add(s Site) error {
	if s.Route.Protocol == engine.RouteTCP {
		c.addTCP(s)
		return nil
	}
	handlers, err := c.handlers(s)
	if err != nil {
		return err
	}
	t := s.Route.TLS
	if t != nil {
		c.secure = append(c.secure, route(s.Route, "https", handlers))
	}
	if t != nil && (t.RedirectHTTP == nil || *t.RedirectHTTP) {
		handlers = []object{c.redirect()}
	}
	c.plain = append(c.plain, route(s.Route, "http", handlers))
	return nil
}

// route tells a site's requests from others. Paths are matched by an expression,
// because Caddy's own paths know no difference between a and A.
func route(r engine.Route, scheme string, handlers []object) object {
	m := object{"header": object{"X-Forwarded-Proto": []string{scheme}, tokenHeader: []string{"{env." + EnvToken + "}"}}}
	if r.Host != "" {
		m["host"] = []string{r.Host}
	}
	if p := prefix(r); p != "" {
		m["path_regexp"] = object{"pattern": "^" + regexp.QuoteMeta(p) + "(/|$)"}
	}
	return object{"match": []object{m}, "handle": handlers, "terminal": true}
}

// redirect sends a visitor to HTTPS, by whatever name they came.
func (c *routing) redirect() object {
	port := ""
	if p := httpsPort(c.in.Node); p != 443 {
		port = ":" + strconv.Itoa(p)
	}
	return answer("308", http.StatusText(http.StatusPermanentRedirect), "Location", "https://{http.request.host}"+port+"{http.request.uri}")
}

// handlers serve a site.
func (c *routing) handlers(s Site) ([]object, error) {
	if len(s.Backends) == 0 {
		return []object{empty}, nil
	}
	var all []object
	size, err := engine.ParseSize("max_body_size", s.Route.MaxBodySize, 0)
	if err != nil {
		return nil, err
	}
	if size > 0 {
		all = append(all, object{"handler": "request_body", "max_size": size})
	}
	if p := prefix(s.Route); s.Route.StripPrefix && p != "" {
		all = append(all, object{"handler": "rewrite", "strip_path_prefix": literal(p)})
	}
	if s.measured() {
		split, err := c.split(s)
		return append(all, split), err
	}
	if s.Leaving {
		if err := c.halves(s); err != nil {
			return nil, err
		}
	}
	proxy, err := proxyTo(s, s.Backends)
	return append(all, proxy), err
}

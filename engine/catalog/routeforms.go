package catalog

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// routeSecrets names the secrets that a route's certificate is made of, by the
// attribute that names them.
func routeSecrets(r engine.Route) map[string]string {
	if r.TLS == nil {
		return nil
	}
	all := map[string]string{}
	for field, name := range map[string]string{"tls.certificate_secret": r.TLS.CertificateSecret, "tls.private_key_secret": r.TLS.PrivateKeySecret} {
		if name != "" {
			all[field] = name
		}
	}
	return all
}

// RouteSecrets names the secrets that the component's routes name, sorted.
func RouteSecrets(c engine.Component) []string {
	var all []string
	for _, r := range c.Routes {
		all = slices.AppendSeq(all, maps.Values(routeSecrets(r)))
	}
	return sortedSet(all)
}

func defaultRoute(r engine.Route) engine.Route {
	orElse(&r.Protocol, engine.RouteHTTP)
	if r.Protocol == engine.RouteTCP {
		return r
	}
	orElse(&r.PathPrefix, DefaultPathPrefix)
	if r.TLS != nil {
		t := *r.TLS
		if len(routeSecrets(r)) == 0 {
			orElse(&t.Issuer, engine.IssuerACME)
		}
		setDefault(&t.RedirectHTTP, true)
		r.TLS = &t
	}
	if r.Sticky != nil {
		s := *r.Sticky
		orElse(&s.Cookie, DefaultStickyCookie)
		r.Sticky = &s
	}
	return r
}

// normalRoute wants the defaults filled in.
func normalRoute(r engine.Route) engine.Route {
	r.Host = strings.ToLower(r.Host)
	if len(r.PathPrefix) > 1 {
		r.PathPrefix = strings.TrimSuffix(r.PathPrefix, "/")
	}
	r.Timeout = canonicalDuration(r.Timeout)
	r.MaxBodySize = canonicalSize(r.MaxBodySize)
	r.RequestHeaders = normalHeaders(r.RequestHeaders)
	r.ResponseHeaders = normalHeaders(r.ResponseHeaders)
	return r
}

func normalHeaders(headers map[string]string) map[string]string {
	if len(headers) == 0 {
		return nil
	}
	all := make(map[string]string, len(headers))
	for name, value := range sorted(headers) {
		all[canonicalHeader(name)] = value
	}
	return all
}

// RoutePlace is what a visitor types to get to a route: the host, or *, and the
// path; or the port of a tcp route.
func RoutePlace(r engine.Route) string {
	r = normalRoute(defaultRoute(r))
	if r.Protocol == engine.RouteTCP {
		return tcpPlace(r.ListenPort)
	}
	orElse(&r.Host, "*")
	return r.Host + r.PathPrefix
}

// tcpPlacePrefix begins no other place: no host has a blank.
const tcpPlacePrefix = "tcp port "

func tcpPlace(port int) string { return tcpPlacePrefix + strconv.Itoa(port) }

// RouteURL is what a visitor opens, without a final slash. address is the node's,
// for routes that name no host; without it the answer is "" for these.
func RouteURL(r engine.Route, ingress engine.NodeIngress, address string) string {
	r, ingress = normalRoute(defaultRoute(r)), ingress.WithDefaults()
	u := url.URL{Scheme: "http", Host: cmp.Or(r.Host, address), Path: strings.TrimSuffix(r.PathPrefix, "/")}
	port, usual := ingress.HTTPPort, engine.DefaultHTTPPort
	switch {
	case u.Host == "":
		return ""
	case r.Protocol == engine.RouteTCP:
		u.Scheme, port, usual = engine.RouteTCP, r.ListenPort, 0
	case r.TLS != nil:
		u.Scheme, port, usual = "https", ingress.HTTPSPort, engine.DefaultHTTPSPort
	}
	if strings.Contains(u.Host, ":") {
		u.Host = "[" + u.Host + "]"
	}
	if port != usual {
		u.Host += ":" + strconv.Itoa(port)
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// RouteURLs are those of all routes, by component/route; "" where the node is not
// known yet.
func RouteURLs(cs map[string]engine.Component, n engine.Node, address string) map[string]string {
	all := map[string]string{}
	for component, c := range cs {
		for name, r := range c.Routes {
			all[component+"/"+name] = ""
			if n.Ingress != nil {
				all[component+"/"+name] = RouteURL(r, *n.Ingress, address)
			}
		}
	}
	return all
}

// routeHashes tells apart what routes say, and the secrets that they take.
func routeHashes(routes map[string]engine.Route, secrets map[string]string) map[string]string {
	if len(routes) == 0 {
		return nil
	}
	all := make(map[string]string, len(routes))
	for name, r := range routes {
		hashes := map[string]string{}
		for _, secret := range routeSecrets(r) {
			hashes[secret] = secrets[secret]
		}
		all[name] = digest(mustJSON(struct {
			Route   engine.Route
			Secrets map[string]string
		}{normalRoute(defaultRoute(r)), hashes}))
	}
	return all
}

func missingRouteSecrets(routes map[string]engine.Route, known map[string]string) error {
	var p problems
	for name, r := range sorted(routes) {
		for field, secret := range sorted(routeSecrets(r)) {
			if _, ok := known[secret]; !ok {
				p.invalid("routes."+name+"."+field, noSecret, secret)
			}
		}
	}
	return p.err()
}

// SameRoutes reports whether both lead visitors in the same way.
func (e Effective) SameRoutes(o Effective) bool { return maps.Equal(e.RouteHashes, o.RouteHashes) }

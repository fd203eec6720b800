package catalog

import (
	"net/netip"
	"regexp"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

var (
	hostPattern   = regexp.MustCompile(`^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	prefixPattern = regexp.MustCompile(`^(/|(/[A-Za-z0-9._~!$&'()+,;=:@-]+)+/?)$`)
)

const maxHostLength = 253

// hopByHop headers belong to one connection, and are the proxy's own to set.
var hopByHop = wordSet(`Connection Content-Length Keep-Alive Proxy-Connection Te Trailer Transfer-Encoding Upgrade`)

func validateRoutes(routes map[string]engine.Route) error {
	var p problems
	for name, r := range sorted(routes) {
		field := "routes." + name
		p.add(engine.CheckName(field, name))
		p.at(field, validateRoute(r))
	}
	return p.err()
}

func validateRoute(r engine.Route) error {
	var p problems
	if r.Port < 1 || r.Port > 65535 {
		p.invalid("port", "%d is not a port: use 1 to 65535", r.Port)
	}
	p.oneOf("protocol", r.Protocol, engine.RouteHTTP, engine.RouteH2C, engine.RouteHTTPS, engine.RouteTCP)
	if r.Protocol == engine.RouteTCP {
		p.add(validateTCPRoute(r))
		return p.err()
	}
	if r.ListenPort != 0 {
		p.invalid("listen_port", "only a route with protocol = \"tcp\" has a port of its own: the others share the ingress's http_port and https_port")
	}
	p.add(validateHost(r.Host))
	p.add(validatePrefix(r.PathPrefix))
	p.at("tls", validateRouteTLS(r))
	p.add(positiveDuration("timeout", r.Timeout))
	_, err := engine.ParseSize("max_body_size", r.MaxBodySize, 0)
	p.add(err)
	p.add(validateHeaders("request_headers", r.RequestHeaders))
	p.add(validateHeaders("response_headers", r.ResponseHeaders))
	if r.Sticky != nil && r.Sticky.Cookie != "" && !headerName.MatchString(r.Sticky.Cookie) {
		p.invalid("sticky.cookie", "%q is not the name of a cookie", r.Sticky.Cookie)
	}
	return p.err()
}

// validateTCPRoute refuses what needs somebody who reads HTTP.
func validateTCPRoute(r engine.Route) error {
	var p problems
	if r.ListenPort < 1 || r.ListenPort > 65535 {
		p.invalid("listen_port", "%d is not a port: a tcp route needs one of the tcp_ports of the node's ingress", r.ListenPort)
	}
	for field, set := range sorted(map[string]bool{
		"host": r.Host != "", "path_prefix": r.PathPrefix != "", "strip_prefix": r.StripPrefix, "tls": r.TLS != nil,
		"timeout": r.Timeout != "", "max_body_size": r.MaxBodySize != "", "sticky": r.Sticky != nil,
		"request_headers": len(r.RequestHeaders) > 0, "response_headers": len(r.ResponseHeaders) > 0,
	}) {
		if set {
			p.invalid(field, "a tcp route passes bytes on and knows nothing of HTTP: leave it out")
		}
	}
	return p.err()
}

func validateHost(host string) error {
	bare := strings.ToLower(host)
	switch {
	case host == "":
		return nil
	case len(host) > maxHostLength || !hostPattern.MatchString(bare) && !isAddress(bare):
		e := engine.Invalid("host", "%q is not a host name, such as shop.acme.dev or *.acme.dev", host)
		e.Hint = "Write the name alone, without scheme, port or path; other letters than a to z in their xn-- form; leave it out for any host"
		return e
	case strings.HasPrefix(bare, "*.") && !strings.Contains(bare[2:], "."):
		return engine.Invalid("host", "%q would stand for a whole top-level domain: leave it out for any host", host)
	}
	return nil
}

// isAddress takes IPv4 only: an IPv6 host comes in brackets, and from nobody's DNS.
func isAddress(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.Is4()
}

func validatePrefix(prefix string) error {
	switch {
	case prefix == "":
		return nil
	case !strings.HasPrefix(prefix, "/"):
		return engine.Invalid("path_prefix", "%q does not begin with a slash", prefix)
	case !prefixPattern.MatchString(prefix):
		return engine.Invalid("path_prefix", "%q is not a plain path, such as /api: it has no patterns, escapes, query or empty parts", prefix)
	}
	for _, part := range strings.Split(prefix, "/") {
		if part == "." || part == ".." {
			return engine.Invalid("path_prefix", "%q holds %q, which no request's path does", prefix, part)
		}
	}
	return nil
}

// validateRouteTLS judges where the certificate comes from; certificates of one's
// own are read when they are deployed, like all secrets.
func validateRouteTLS(r engine.Route) error {
	if r.TLS == nil {
		return nil
	}
	var p problems
	t := *r.TLS
	p.oneOf("issuer", t.Issuer, engine.IssuerACME, engine.IssuerInternal)
	for field, secret := range map[string]string{"certificate_secret": t.CertificateSecret, "private_key_secret": t.PrivateKeySecret} {
		if secret != "" {
			p.add(checkEnvName(field, secret))
		}
	}
	own := t.CertificateSecret != "" || t.PrivateKeySecret != ""
	switch {
	case own && t.Issuer != "":
		p.invalid("issuer", "a certificate of your own has no issuer: leave it out, or leave out certificate_secret and private_key_secret")
	case own && t.CertificateSecret == "":
		p.invalid("certificate_secret", "a private key needs its certificate: name the secret that holds it")
	case own && t.PrivateKeySecret == "":
		p.invalid("private_key_secret", "a certificate needs its private key: name the secret that holds it")
	case !own && t.Issuer != engine.IssuerInternal:
		p.add(acmeProves(r.Host))
	}
	return p.err()
}

// acmeProves refuses hosts for which the ingress cannot prove to an authority
// that they are its own.
func acmeProves(host string) error {
	what := ""
	switch {
	case host == "":
		what = "a route for any host has no name that a certificate could be asked for"
	case strings.HasPrefix(host, "*."):
		what = "a wildcard certificate is only given to who controls the domain's DNS, which the ingress does not"
	case isAddress(host):
		what = "authorities give their certificates to names, not to addresses"
	default:
		return nil
	}
	e := engine.Invalid("issuer", "%s", what)
	e.Hint = `Name a host, set issuer = "internal", or bring a certificate of your own with certificate_secret and private_key_secret`
	return e
}

func validateHeaders(field string, headers map[string]string) error {
	var p problems
	seen := map[string]string{}
	for name, value := range sorted(headers) {
		at, canonical := field+"."+name, canonicalHeader(name)
		switch {
		case !headerName.MatchString(name):
			p.invalid(at, "%q is not the name of a header", name)
		case hopByHop[canonical]:
			p.invalid(at, "%s belongs to the connection: the ingress itself sets it", canonical)
		case seen[canonical] != "":
			p.invalid(at, "it is the same header as %q", seen[canonical])
		case !headerValue.MatchString(value):
			p.invalid(at, "the value of a header holds no line break or other control character")
		}
		seen[canonical] = name
	}
	return p.err()
}

func positiveDuration(field, s string) error {
	d, err := engine.ParseDuration(field, s, 0)
	if err == nil && s != "" && d == 0 {
		return engine.Invalid(field, "a duration above zero is needed")
	}
	return err
}

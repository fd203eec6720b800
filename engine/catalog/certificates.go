package catalog

import (
	"fmt"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// validateCertificates refuses two routes of a version that get the certificate of
// one host from different places: a host shows one. Fields are relative to the map
// of components.
func validateCertificates(cs map[string]engine.Component) error {
	var p problems
	type source struct{ name, field string }
	first := map[string]source{} // by host
	for component, c := range sorted(cs) {
		for name, r := range sorted(c.Routes) {
			if r.TLS == nil || r.Protocol == engine.RouteTCP {
				continue
			}
			s := source{certificateSource(r), strings.Join([]string{component, "routes", name, "tls"}, ".")}
			host := normalRoute(defaultRoute(r)).Host
			if other, known := first[host]; !known {
				first[host] = s
			} else if other.name != s.name {
				p.invalid(s.field, "%s has one certificate, and components.%s takes it from %s", anyHost(host), other.field, other.name)
			}
		}
	}
	return p.err()
}

// certificateSource tells where the certificate of a route with TLS comes from.
func certificateSource(r engine.Route) string {
	t := defaultRoute(r).TLS
	if t.Issuer != "" {
		return fmt.Sprintf("issuer = %q", t.Issuer)
	}
	return fmt.Sprintf("certificate_secret = %q", t.CertificateSecret)
}

func anyHost(host string) string {
	if host == "" {
		return "what serves any host"
	}
	return host
}

package ingress

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// nameless is the subject of the certificate for visitors who name no host, or
// one that only sites of any host serve.
const nameless = "slipway-ingress.internal"

// secrets are where certificates come from, and which one a visitor gets.
type secrets struct {
	app      object
	policies []object
}

// tls makes the certificates that the sites want, and no other.
func (in Input) tls(sites []Site) (secrets, error) {
	own, names, err := ownCertificates(in.Certificates)
	if err != nil {
		return secrets{}, err
	}
	hosts := map[string][]string{} // by issuer
	for _, s := range sites {
		t := s.Route.TLS
		switch {
		case t == nil || t.CertificateSecret != "" || covered(names, s.Route.Host):
		case t.Issuer == engine.IssuerInternal:
			hosts[engine.IssuerInternal] = append(hosts[engine.IssuerInternal], orNameless(s.Route.Host))
		default:
			hosts[engine.IssuerACME] = append(hosts[engine.IssuerACME], s.Route.Host)
		}
	}
	var policies []object
	var all []string
	for issuer, module := range map[string]object{engine.IssuerInternal: {"module": "internal"}, engine.IssuerACME: in.acme()} {
		if subjects := unique(hosts[issuer]); len(subjects) > 0 {
			policies = append(policies, object{"subjects": subjects, "issuers": []object{module}})
			all = append(all, subjects...)
		}
	}
	slices.SortFunc(policies, func(a, b object) int {
		return slices.Compare(a["subjects"].([]string), b["subjects"].([]string)) //nolint:errcheck // as made above
	})
	certificates := object{}
	if len(all) > 0 {
		certificates["automate"] = unique(all)
	}
	if len(own) > 0 {
		certificates["load_pem"] = own
	}
	return secrets{
		app:      object{"certificates": certificates, "automation": object{"policies": policies}},
		policies: []object{connectionPolicy(sites, names)},
	}, nil
}

// connectionPolicy says which certificate gets who asks for none that is there.
func connectionPolicy(sites []Site, names []string) object {
	for _, s := range sites {
		switch t := s.Route.TLS; {
		case t == nil || s.Route.Host != "":
		case t.Issuer == engine.IssuerInternal:
			return object{"fallback_sni": nameless}
		case len(names) > 0:
			return object{"fallback_sni": names[0]}
		}
	}
	return object{}
}

// ownCertificates are users' own in the order of what they hold, and the hosts
// that these are for.
func ownCertificates(all []Certificate) (pems []object, names []string, err error) {
	sorted := slices.SortedFunc(slices.Values(all), func(a, b Certificate) int {
		return strings.Compare(a.Chain+a.PrivateKey, b.Chain+b.PrivateKey)
	})
	for _, c := range slices.Compact(sorted) {
		leaf, err := c.Check()
		if err != nil {
			return nil, nil, err
		}
		pems = append(pems, object{"certificate": c.Chain, "key": c.PrivateKey})
		names = append(names, leaf.DNSNames...)
		for _, a := range leaf.IPAddresses {
			names = append(names, a.String())
		}
	}
	return pems, names, nil
}

// Check reports what is wrong with a certificate: one that the proxy cannot read
// would keep it from taking any configuration.
func (c Certificate) Check() (*x509.Certificate, error) {
	pair, err := tls.X509KeyPair([]byte(c.Chain), []byte(c.PrivateKey))
	if err != nil {
		// The cause may quote what it could not read.
		return nil, &engine.Error{Class: engine.ErrInvalid, Reason: "a route's certificate and private key are no pair in PEM form",
			Hint: "Give the chain, the site's own certificate first, and the unencrypted key that belongs to it"}
	}
	return pair.Leaf, nil
}

// covered reports whether a certificate for one of the names serves the host.
func covered(names []string, host string) bool {
	_, domain, _ := strings.Cut(host, ".")
	return slices.Contains(names, host) || domain != "" && slices.Contains(names, "*."+domain)
}

func orNameless(host string) string {
	if host == "" {
		return nameless
	}
	return host
}

func unique(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return slices.Compact(names)
}

package ingress

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// nameless is the subject of the certificate for visitors who name no host, or
// one that only sites of any host serve.
const nameless = "slipway-ingress.internal"

// issued is where certificates come from, and which one a visitor gets.
type issued struct {
	app     object  // that gets them from issuers
	answers []shown // what is asked first in front
}

// shown is what a host's visitors get: PEM, or placeholders of it.
type shown struct {
	host string // "" = any other
	body string
}

// tls gets the certificates that the sites want, and no other. Users' own go
// before those of issuers.
func (in Input) tls(sites []Site) (issued, error) {
	own, err := in.ownCertificates()
	if err != nil {
		return issued{}, err
	}
	hosts := map[string][]string{} // by issuer
	var others []shown
	for _, s := range sites {
		t := s.Route.TLS
		host := strings.ToLower(s.Route.Host)
		if t == nil || t.CertificateSecret != "" || covered(own, host) || covers(others, host) {
			continue
		}
		subject, issuer := cmp.Or(host, nameless), cmp.Or(t.Issuer, engine.IssuerACME)
		hosts[issuer] = append(hosts[issuer], subject)
		others = append(others, shown{host, in.place().stored(in.nameOf(issuer), subject)})
	}
	answers := append(slices.Clone(own), others...)
	if !covers(others, "") && len(own) > 0 && slices.ContainsFunc(sites, Site.secureForAny) {
		answers = append(answers, shown{"", own[0].body})
	}
	slices.SortStableFunc(answers, func(a, b shown) int { return cmp.Compare(hostClass(a.host), hostClass(b.host)) })
	return issued{app: in.issuers(hosts), answers: answers}, nil
}

// secureForAny reports whether visitors of any host come by TLS.
func (s Site) secureForAny() bool { return s.Route.Host == "" && s.Route.TLS != nil }

// issuers get certificates for hosts, by issuer.
func (in Input) issuers(hosts map[string][]string) object {
	var policies []object
	var all []string
	for _, module := range []object{{"module": engine.IssuerInternal}, in.acme()} {
		issuer := module["module"].(string) //nolint:errcheck // as written above
		if subjects := hosts[issuer]; len(subjects) > 0 {
			slices.Sort(subjects)
			policies = append(policies, object{"subjects": subjects, "issuers": []object{module}})
			all = append(all, subjects...)
		}
	}
	certificates := object{}
	if len(all) > 0 {
		certificates["automate"] = all
	}
	return object{"certificates": certificates, "automation": object{"policies": policies}}
}

// ownCertificates are users' own by the hosts that they are for. Of two for one
// host the one that lasts longer is taken.
func (in Input) ownCertificates() ([]shown, error) {
	type pair struct {
		body string
		leaf *x509.Certificate
	}
	var pairs []pair
	for _, c := range in.Certificates {
		body, leaf, err := c.read()
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, pair{body, leaf})
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(b.leaf.NotAfter.Compare(a.leaf.NotAfter), strings.Compare(a.body, b.body))
	})
	var all []shown
	for _, p := range pairs {
		names := slices.Clone(p.leaf.DNSNames)
		for _, a := range p.leaf.IPAddresses {
			names = append(names, a.String())
		}
		for _, name := range names {
			if name = strings.ToLower(name); !covers(all, name) {
				all = append(all, shown{name, p.body})
			}
		}
	}
	return all, nil
}

// Check reports what is wrong with a certificate: visitors would get none.
func (c Certificate) Check() (*x509.Certificate, error) {
	_, leaf, err := c.read()
	return leaf, err
}

// read is the chain and the key as one text, and nothing else that came with them.
func (c Certificate) read() (string, *x509.Certificate, error) {
	pair, err := tls.X509KeyPair([]byte(c.Chain), []byte(c.PrivateKey))
	var key []byte
	if err == nil {
		key, err = x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	}
	if err != nil {
		// The cause may quote what it could not read.
		return "", nil, &engine.Error{Class: engine.ErrInvalid, Reason: "a route's certificate and private key are no pair in PEM form",
			Hint: "Give the chain, the site's own certificate first, and the unencrypted key that belongs to it"}
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	for _, der := range pair.Certificate {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return string(text), pair.Leaf, nil
}

// covered reports whether one of the certificates serves the host.
func covered(all []shown, host string) bool {
	_, domain, _ := strings.Cut(host, ".")
	return covers(all, host) || domain != "" && covers(all, "*."+domain)
}

// covers reports whether one of the certificates is for that very name.
func covers(all []shown, name string) bool {
	return slices.ContainsFunc(all, func(c shown) bool { return c.host == name })
}

package ingress

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"maps"
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
	coming  []shown // what visitors will get of sites that are coming
}

// shown is what a host's visitors get: PEM, or placeholders of it.
type shown struct {
	host string // "" = any other
	pair
}

type pair struct{ key, chain string }

// tls gets the certificates that the sites want, and no other. Users' own go
// before those of issuers.
func (in Input) tls(sites []Site) (issued, error) {
	own, err := in.ownCertificates()
	if err != nil {
		return issued{}, err
	}
	t := issued{answers: own}
	issuers := map[string]string{} // by the name that they sign for
	for _, s := range sites {
		host, route := strings.ToLower(s.Route.Host), s.Route.TLS
		if route == nil || route.CertificateSecret != "" {
			continue
		}
		subject, issuer := cmp.Or(host, nameless), cmp.Or(route.Issuer, engine.IssuerACME)
		certificate := shown{host, in.place().stored(in.nameOf(issuer), subject)}
		switch {
		case covered(own, host):
			t.coming = append(t.coming, shown{host, own[0].pair})
		case s.Coming:
			issuers[subject] = issuer // what is there of another one is there
			t.coming = append(t.coming, certificate)
		case !covers(t.answers, host):
			issuers[subject] = cmp.Or(issuers[subject], issuer)
			t.answers = append(t.answers, certificate)
		}
	}
	if !covers(t.answers, "") && len(own) > 0 && slices.ContainsFunc(sites, Site.secureForAny) {
		t.answers = append(t.answers, shown{"", own[0].pair})
	}
	slices.SortStableFunc(t.answers, byHost)
	slices.SortStableFunc(t.coming, byHost)
	t.app = in.issuers(issuers)
	return t, nil
}

func byHost(a, b shown) int { return cmp.Compare(hostClass(a.host), hostClass(b.host)) }

// secureForAny reports whether visitors of any host come by TLS.
func (s Site) secureForAny() bool { return s.Route.Host == "" && s.Route.TLS != nil && !s.Coming }

// issuers get certificates for names.
func (in Input) issuers(names map[string]string) object {
	var policies []object
	for _, module := range []object{{"module": engine.IssuerInternal}, in.acme()} {
		var subjects []string
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if names[name] == module["module"] {
				subjects = append(subjects, name)
			}
		}
		if len(subjects) > 0 {
			policies = append(policies, object{"subjects": subjects, "issuers": []object{module}})
		}
	}
	certificates := object{}
	if len(names) > 0 {
		certificates["automate"] = slices.Sorted(maps.Keys(names))
	}
	return object{"certificates": certificates, "automation": object{"policies": policies}}
}

// ownCertificates are users' own by the hosts that they are for. Of two for one
// host the one that lasts longer is taken.
func (in Input) ownCertificates() ([]shown, error) {
	type read struct {
		pair
		leaf *x509.Certificate
	}
	var given []read
	for _, c := range in.Certificates {
		p, leaf, err := c.read()
		if err != nil {
			return nil, err
		}
		given = append(given, read{p, leaf})
	}
	slices.SortFunc(given, func(a, b read) int {
		return cmp.Or(b.leaf.NotAfter.Compare(a.leaf.NotAfter), strings.Compare(a.chain+a.key, b.chain+b.key))
	})
	var all []shown
	for _, c := range given {
		names := slices.Clone(c.leaf.DNSNames)
		for _, a := range c.leaf.IPAddresses {
			names = append(names, a.String())
		}
		for _, name := range names {
			if name = strings.ToLower(name); !covers(all, name) {
				all = append(all, shown{name, c.pair})
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

// read is the chain and the key, and nothing else that came with them.
func (c Certificate) read() (pair, *x509.Certificate, error) {
	read, err := tls.X509KeyPair([]byte(c.Chain), []byte(c.PrivateKey))
	var key []byte
	if err == nil {
		key, err = x509.MarshalPKCS8PrivateKey(read.PrivateKey)
	}
	if err != nil {
		// The cause may quote what it could not read.
		return pair{}, nil, &engine.Error{Class: engine.ErrInvalid, Reason: "a route's certificate and private key are no pair in PEM form",
			Hint: "Give the chain, the site's own certificate first, and the unencrypted key that belongs to it"}
	}
	var chain []byte
	for _, der := range read.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return pair{string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})), string(chain)}, read.Leaf, nil
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

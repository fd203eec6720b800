package ingress

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// letsEncrypt is who is asked where the node names nobody.
const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

func directory(n engine.NodeIngress) string { return cmp.Or(n.ACMEDirectory, letsEncrypt) }

// acme asks the node's authority, which proves hosts by HTTP: that is a request
// which the front hands on like any other, and the router answers before any site.
func (in Input) acme() object {
	n := in.Node
	issuer := object{"module": engine.IssuerACME, "ca": literal(directory(n)), "challenges": object{
		"http": object{"alternate_port": portOf(in.place().router)}, "tls-alpn": object{"disabled": true},
	}}
	if n.ACMEEmail != "" {
		issuer["email"] = literal(n.ACMEEmail)
	}
	if n.ACMECACertificate != "" {
		issuer["trusted_roots_pem_files"] = []string{in.place().acmeCA}
	}
	return issuer
}

// localAuthority is what Caddy calls the one that it is itself.
const localAuthority = "local"

// nameOf is what Caddy calls an issuer in its storage.
func (in Input) nameOf(issuer string) string {
	if issuer == engine.IssuerInternal {
		return localAuthority
	}
	u, err := url.Parse(directory(in.Node))
	if err != nil {
		return directory(in.Node)
	}
	name := u.Host
	if path := strings.Trim(strings.ReplaceAll(u.Path, "/", "-"), "-"); path != "" {
		name += "-" + path
	}
	return name
}

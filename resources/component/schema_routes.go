package component

import "github.com/hashicorp/terraform-plugin-framework/resource/schema"

func routes() schema.Attribute {
	return mapOf("What leads from the ingress of the node to the component, by name. The node must have an `ingress`. Routes change without touching an instance.", map[string]schema.Attribute{
		"host":             str("Host name that visitors use, such as `shop.acme.dev`, or `*.acme.dev` for any one label. Absent: any host that no other route has."),
		"path_prefix":      str("Path that requests begin with, in whole parts: `/api` is `/api` and `/api/users`, not `/apis`. Of several the longest wins. Default `/`."),
		"port":             requiredInteger("Port inside the instance, 1 to 65535. It need not be in `ports`, nor be published."),
		"protocol":         str("What the component speaks: `http`, `h2c` (HTTP/2 without TLS, as gRPC wants it), `https` (its certificate is not verified), or `tcp`, which passes bytes on and takes nothing but `port` and `listen_port`. Default `http`."),
		"listen_port":      integer("Port on the node of a `tcp` route: one of the `tcp_ports` of the node's ingress."),
		"strip_prefix":     boolean("Take `path_prefix` off the path that the component sees. Default `false`."),
		"tls":              routeTLS(),
		"timeout":          str("How long an answer may take to begin, a Go duration; then the visitor gets 504. Absent: as long as it takes."),
		"max_body_size":    str("How large a request's body may be, a quantity; a larger one gets 413. Absent: no limit."),
		"request_headers":  texts("Headers set for the component; an empty value takes one away."),
		"response_headers": texts("Headers set for the visitor; an empty value takes one away."),
		"sticky": object("Send a visitor to the instance that answered before, as long as it serves. Absent: any instance may answer.", map[string]schema.Attribute{
			"cookie": str("Name of the cookie that remembers the instance. Default `slipway`."),
		}),
	})
}

func routeTLS() schema.Attribute {
	return object("Serve HTTPS too. The certificate comes from an issuer, or from secrets. Absent: plain HTTP only.", map[string]schema.Attribute{
		"issuer":             str("`acme`: the authority of the node's ingress, which needs a single host name that leads to the node; `internal`: the ingress's own authority, which visitors have no reason to trust. Default `acme`, without a certificate of your own."),
		"certificate_secret": str("Name of a secret of the environment or the deployment that holds a certificate chain as PEM, instead of an issuer."),
		"private_key_secret": str("Name of the secret that holds its private key as PEM."),
		"redirect_http":      boolean("Send visitors who come with plain HTTP to HTTPS; with `false` they are served. Default `true`."),
	})
}

package engine

import (
	"cmp"
	"strings"
)

// Route leads what comes to a node's ingress to a component: the requests for a
// host and path, or with the protocol tcp the connections to a port.
type Route struct {
	Host        string `json:"host,omitempty"`         // "" = any; *.acme.dev = any one label
	PathPrefix  string `json:"path_prefix,omitempty"`  // "" = /; of two the longer one wins
	Port        int    `json:"port"`                   // container port, of the component's ports or not
	Protocol    string `json:"protocol,omitempty"`     // that the component speaks: http (default), h2c, https, tcp
	ListenPort  int    `json:"listen_port,omitempty"`  // tcp only: one of the ingress's tcp_ports
	StripPrefix bool   `json:"strip_prefix,omitempty"` // the component does not see the path prefix

	TLS *RouteTLS `json:"tls,omitempty"` // nil = plain HTTP

	Timeout         string            `json:"timeout,omitempty"`          // until an answer begins, "" = none
	MaxBodySize     string            `json:"max_body_size,omitempty"`    // quantity, "" = no limit
	RequestHeaders  map[string]string `json:"request_headers,omitempty"`  // set for the component; "" takes one away
	ResponseHeaders map[string]string `json:"response_headers,omitempty"` // set for the visitor; "" takes one away
	Sticky          *RouteSticky      `json:"sticky,omitempty"`           // nil = any instance may answer
}

// Protocols that a component speaks behind a route.
const (
	RouteHTTP  = "http"
	RouteH2C   = "h2c"   // HTTP/2 without TLS: gRPC
	RouteHTTPS = "https" // its certificate is not verified
	RouteTCP   = "tcp"
)

// RouteTLS says where a route's certificate comes from: an issuer, or secrets
// of the deployment.
type RouteTLS struct {
	Issuer            string `json:"issuer,omitempty"`             // acme (default), internal; "" with a certificate of one's own
	CertificateSecret string `json:"certificate_secret,omitempty"` // name of the secret with the PEM chain
	PrivateKeySecret  string `json:"private_key_secret,omitempty"` // name of the secret with the PEM key
	RedirectHTTP      *bool  `json:"redirect_http,omitempty"`      // nil = true: plain HTTP is sent to HTTPS; false: it is served too
}

// Issuers of certificates.
const (
	IssuerACME     = "acme"
	IssuerInternal = "internal" // the ingress's own certificate authority
)

// RouteSticky sends a visitor to the instance that answered before.
type RouteSticky struct {
	Cookie string `json:"cookie,omitempty"` // its name, "" = slipway
}

// NodeIngress is what a node offers routes: a proxy that the engine runs there.
type NodeIngress struct {
	HTTPPort          int    `json:"http_port,omitempty"`  // 0 = 80
	HTTPSPort         int    `json:"https_port,omitempty"` // 0 = 443
	TCPPorts          []int  `json:"tcp_ports,omitempty"`  // that tcp routes may listen on
	Image             string `json:"image,omitempty"`      // "" = DefaultIngressImage
	ACMEEmail         string `json:"acme_email,omitempty"`
	ACMEDirectory     string `json:"acme_directory,omitempty"`      // URL, "" = Let's Encrypt
	ACMECACertificate string `json:"acme_ca_certificate,omitempty"` // PEM that the directory is verified with, "" = the system's
}

// Ports of an ingress that names none.
const (
	DefaultHTTPPort  = 80
	DefaultHTTPSPort = 443
)

// The ports inside the ingress's instances that are its own; nothing else may listen
// on them there.
const (
	FirstIngressPort = 2080
	LastIngressPort  = 2083
)

// WithDefaults is the ingress with its ports and its image filled in.
func (n NodeIngress) WithDefaults() NodeIngress {
	n.HTTPPort = cmp.Or(n.HTTPPort, DefaultHTTPPort)
	n.HTTPSPort = cmp.Or(n.HTTPSPort, DefaultHTTPSPort)
	n.Image = cmp.Or(n.Image, DefaultIngressImage)
	return n
}

// DefaultIngressImage is Caddy as its makers publish it. Routes of the protocol
// tcp need one that has the module caddy-l4 too.
const DefaultIngressImage = "docker.io/library/caddy:2.11"

// ingressPrefix names the deployment of a node's ingress; no other may be called
// so, nor begin with it and a hyphen.
const ingressPrefix = "slipway-ingress"

// IngressID is the id of the deployment that the engine itself runs as a node's
// ingress. It is in no environment.
func IngressID(nodeID string) string { return JoinID(nodeID, ingressPrefix) }

// ReservedPrefix reports whether deployments of users may not have that prefix.
func ReservedPrefix(prefix string) bool {
	return prefix == ingressPrefix || strings.HasPrefix(prefix, ingressPrefix+"-")
}

// Package ingress is the proxy in front of a node's routes: Caddy, which the
// engine runs there as a deployment of its own, of two components. The front takes
// visitors' connections; the router leads their requests to instances, and can
// change where without a request noticing, see frontApps. It has the certificates
// too, for which the front asks with every visitor, see askedTLS.
//
// Config is pure: it turns what shall be reachable into Caddy's configuration,
// the same bytes for the same input. Components are how the proxy runs. Client
// speaks to one instance of it: it puts a configuration into force atomically,
// proves through the proxy that an instance answers, and reads what was measured.
package ingress

import (
	"strconv"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Input is everything that a proxy's configuration is made of.
type Input struct {
	Node         engine.NodeIngress
	Sites        []Site        // of all deployments on the node, in any order
	Certificates []Certificate // of users' own, in any order
	// ProxyProtocol says that connections come with a PROXY header, which names
	// the visitor's address.
	ProxyProtocol bool

	inside *place // nil = where Components put things
}

// Site is one route of one component with where it leads.
type Site struct {
	Deployment, Component, Name string
	Route                       engine.Route
	Backends                    []Backend // none: visitors are told to come back
	// Coming says that nobody is led here yet: its certificate alone is got, see
	// Client.Certified.
	Coming bool
	// Measured keeps what canary and others answer apart, see Client.Measure. It
	// costs each request another hop inside the proxy, so it is for deployments
	// whose strategy is canary.
	Measured bool
	// Leaving says that it was measured in the configuration before: what is under
	// way to the other hop finds it until the next one.
	Leaving bool
	// CanaryWeight is the percentage of the requests that the canary gets, while
	// there are both.
	CanaryWeight int
}

// ID is unique on a node: team/environment/prefix/component/route.
func (s Site) ID() string { return s.Deployment + "/" + s.Component + "/" + s.Name }

// Backend is an instance that serves a site.
type Backend struct {
	Instance string // name
	Address  string // as node.Driver.Admit tells it
	Canary   bool   // of the new revision, while both serve
}

// Certificate is a certificate chain and its private key, as PEM.
type Certificate struct{ Chain, PrivateKey string }

// place is where the proxy finds and puts things inside its instance.
type place struct {
	sockets string // directory of the sockets by which the proxy speaks to itself
	acmeCA  string // file with the certificate that an ACME directory is verified with
	data    string // directory of certificates
	control int    // port
	asks    int    // port by which the front asks itself
	// host:port where the front finds the router, and its certificates
	router, certificates string
}

func (in Input) place() place {
	if in.inside != nil {
		return *in.inside
	}
	return place{
		sockets: socketDir, acmeCA: acmeCAFile, data: dataDir, control: ControlPort, asks: askPort,
		router: at(Router, routerPort), certificates: at(Router, certificatePort),
	}
}

func at(host string, port int) string { return host + ":" + strconv.Itoa(port) }

func portOf(address string) int {
	_, port, _ := strings.Cut(address, ":")
	number, _ := strconv.Atoi(port)
	return number
}

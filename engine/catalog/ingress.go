package catalog

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// ValidateIngress checks what a node offers routes. Fields are relative to the
// node's ingress.
func ValidateIngress(n engine.NodeIngress) error {
	var p problems
	n = n.WithDefaults()
	users := map[int]string{}
	use := func(field string, port int) {
		switch {
		case port < 1 || port > 65535:
			p.invalid(field, "%d is not a port: use 1 to 65535", port)
		case users[port] != "":
			p.invalid(field, "port %d is already that of %s", port, users[port])
		default:
			users[port] = field
		}
	}
	use("http_port", n.HTTPPort)
	use("https_port", n.HTTPSPort)
	for i, port := range n.TCPPorts {
		use("tcp_ports."+strconv.Itoa(i), port)
	}
	p.add(validateImage(n.Image))
	if n.ACMEEmail != "" && !emailAddress.MatchString(n.ACMEEmail) {
		p.invalid("acme_email", "%q is not an e-mail address, such as ops@acme.dev", n.ACMEEmail)
	}
	if u, err := url.Parse(n.ACMEDirectory); n.ACMEDirectory != "" && (err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil) {
		p.invalid("acme_directory", "this is not the URL of an ACME directory: write https://host/path, without credentials")
	}
	p.add(checkPEM("acme_ca_certificate", n.ACMECACertificate))
	return p.err()
}

// CheckIngressChange refuses to take away from under the routes of a node what
// they use; used says by whom, by place.
func CheckIngressChange(wanted engine.Node, used PlaceOwners) error {
	serves := map[string]bool{}
	if wanted.Ingress != nil {
		for _, port := range wanted.Ingress.TCPPorts {
			serves[tcpPlace(port)] = true
		}
	}
	var p problems
	for place, owner := range sorted(used) {
		isTCP := strings.HasPrefix(place, tcpPlacePrefix)
		if serves[place] || wanted.Ingress != nil && !isTCP {
			continue
		}
		field, what := "ingress", "the ingress"
		if wanted.Ingress != nil {
			field, what = "ingress.tcp_ports", place
		}
		p.add(&engine.Error{
			Class: engine.ErrConflict, Field: field,
			Reason: fmt.Sprintf("%s of node %s is used by route %s of component %s of deployment %s (%s)",
				what, wanted.ID, owner.Claim.Route, owner.Claim.Component, owner.Deployment, place),
			Hint: "take the route away first, in an apply of its own",
		})
	}
	return p.err()
}

// CheckRoutes refuses routes that the node's ingress does not serve. Nothing is
// said of a node that is not known yet.
func CheckRoutes(n engine.Node, cs map[string]engine.Component) error {
	claims := Claims(cs)
	if len(claims) == 0 || n.ID == "" {
		return nil
	}
	if n.Ingress == nil {
		return &engine.Error{
			Class: engine.ErrConflict, Field: "environment_id",
			Reason: fmt.Sprintf("components.%s needs an ingress, and node %s has none", claims[0].Field(), n.ID),
			Hint:   "set ingress = {} on the slipway_node, or take the routes away",
		}
	}
	var p problems
	for _, c := range claims {
		r := cs[c.Component].Routes[c.Route]
		if r.Protocol == engine.RouteTCP && !slices.Contains(n.Ingress.TCPPorts, r.ListenPort) {
			p.add(&engine.Error{
				Class: engine.ErrConflict, Field: "version",
				Reason: fmt.Sprintf("components.%s wants port %d, which is not among the tcp_ports of the ingress of node %s", c.Field(), r.ListenPort, n.ID),
				Hint:   "add it to tcp_ports of the ingress of the slipway_node, or use another listen_port",
			})
		}
	}
	return p.err()
}

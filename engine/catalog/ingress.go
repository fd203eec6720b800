package catalog

import (
	"encoding/asn1"
	"encoding/pem"
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
		case engine.FirstIngressPort <= port && port <= engine.LastIngressPort:
			p.invalid(field, "port %d is what the ingress uses itself, inside: choose another one", port)
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
	p.add(checkCertificates("acme_ca_certificate", n.ACMECACertificate))
	return p.err()
}

// checkCertificates wants PEM that a proxy can read to its end; "" is not judged.
func checkCertificates(field, text string) error {
	if err := checkPEM(field, text); err != nil || text == "" {
		return err
	}
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		var found certificate
		if rest, err := asn1.Unmarshal(block.Bytes, &found); err != nil || len(rest) > 0 {
			return engine.Invalid(field, "this is PEM, but not of a certificate, or not of a whole one")
		}
	}
	return nil
}

// certificate is that of RFC 5280, as far as its frame goes.
type certificate struct {
	Content, Algorithm asn1.RawValue
	Signature          asn1.BitString
}

// CheckIngressPorts refuses ports on which the node's user may not listen; lowest
// is the first that they may.
func CheckIngressPorts(n engine.Node, lowest int) error {
	if n.Ingress == nil {
		return nil
	}
	var p problems
	check := func(field string, port int) {
		if port < lowest {
			p.add(engine.Unsupported("ingress."+field, fmt.Sprintf("the engine's user may listen on ports from %d only, and %d is lower", lowest, port),
				"use higher ports, such as http_port = 8080 and https_port = 8443, run the engine as root, or lower the sysctl net.ipv4.ip_unprivileged_port_start"))
		}
	}
	ingress := n.Ingress.WithDefaults()
	check("http_port", ingress.HTTPPort)
	check("https_port", ingress.HTTPSPort)
	for i, port := range ingress.TCPPorts {
		check("tcp_ports."+strconv.Itoa(i), port)
	}
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

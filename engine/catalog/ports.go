package catalog

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Protocols of a port.
const (
	TCP = "tcp"
	UDP = "udp"
)

// protocol is the port's protocol with the default filled in.
func protocol(p engine.Port) string {
	if p.Protocol == "" {
		return TCP
	}
	return p.Protocol
}

func validatePorts(ports map[string]engine.Port) error {
	var p problems
	users := map[string]string{}
	for name, port := range sorted(ports) {
		field := "ports." + name
		p.add(engine.CheckName(field, name))
		p.at(field, validatePort(port))
		key := fmt.Sprintf("%d/%s", port.ContainerPort, protocol(port))
		if other, taken := users[key]; taken {
			p.invalid(field+".container_port", "port %s is already named %q", key, other)
			continue
		}
		users[key] = name
	}
	return p.err()
}

func validatePort(port engine.Port) error {
	var p problems
	if port.ContainerPort < 1 || port.ContainerPort > 65535 {
		p.invalid("container_port", "%d is not a port: use 1 to 65535", port.ContainerPort)
	}
	if port.HostPort != nil && (*port.HostPort < 0 || *port.HostPort > 65535) {
		p.invalid("host_port", "%d is not a port: use 1 to 65535, or 0 to have one chosen", *port.HostPort)
	}
	p.oneOf("protocol", port.Protocol, TCP, UDP)
	if port.HostAddress != "" {
		if _, err := netip.ParseAddr(port.HostAddress); err != nil {
			p.invalid("host_address", "%q is not an IP address", port.HostAddress)
		}
		if !port.Published() {
			p.invalid("host_address", "the port is not published: set host_port too")
		}
	}
	if port.ProxyProtocol && !port.Published() {
		p.invalid("proxy_protocol", "the port is not published: set host_port too")
	}
	if port.ProxyProtocol && protocol(port) != TCP {
		p.invalid("proxy_protocol", "only connections of tcp begin with a header")
	}
	return p.err()
}

// holder is a fixed host port and where it was asked for.
type holder struct {
	field, address, protocol string
	port                     int
}

func (h holder) collides(o holder) bool {
	return h.port == o.port && h.protocol == o.protocol &&
		(h.address == o.address || everywhere(h.address) || everywhere(o.address))
}

// everywhere reports whether the address stands for all addresses of the node.
func everywhere(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && a.IsUnspecified()
}

// validateHostPorts refuses a fixed host port that two ports of the version
// want. Replicas of one component may share theirs: the node spreads.
func validateHostPorts(cs map[string]engine.Component) error {
	var p problems
	var holders []holder
	for component, c := range sorted(cs) {
		for name, port := range sorted(c.Ports) {
			if port.HostPort == nil || *port.HostPort == 0 {
				continue
			}
			h := holder{
				field:   strings.Join([]string{component, "ports", name, "host_port"}, "."),
				address: port.HostAddress, protocol: protocol(port), port: *port.HostPort,
			}
			for _, o := range holders {
				if h.collides(o) {
					p.invalid(h.field, "host port %d/%s is already taken by components.%s", h.port, h.protocol, o.field)
					break
				}
			}
			holders = append(holders, h)
		}
	}
	return p.err()
}

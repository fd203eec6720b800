package docker

import (
	"fmt"
	"hash/fnv"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/moby/moby/api/types/network"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Ports that the node chooses are from below those that Linux gives to outgoing
// connections, so that neither takes the other's.
const (
	firstChosen = 20000
	countChosen = 12000
)

// choose picks host ports for those that leave it to the node: what a sibling
// has, else one that follows from the names, so that it is the same again. owner
// is the engine and the deployment.
// attempt is how often the choice turned out to be taken.
func choose(owner, component string, ports map[string]engine.Port, before map[string]int, taken map[int]bool, attempt int) map[string]int {
	chosen := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(ports)) {
		p := ports[name]
		switch {
		case *p.HostPort > 0:
			chosen[name] = *p.HostPort
		case before[name] > 0 && attempt == 0:
			chosen[name] = before[name]
		default:
			chosen[name] = candidate(owner+"/"+component+"/"+name, taken, attempt)
			taken[chosen[name]] = true
		}
	}
	return chosen
}

func candidate(name string, taken map[int]bool, attempt int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	n := int(h.Sum32()%countChosen) + attempt*977
	for range countChosen {
		if port := firstChosen + n%countChosen; !taken[port] {
			return port
		}
		n++
	}
	return firstChosen
}

func publishedPorts(ports map[string]engine.Port) map[string]engine.Port {
	published := map[string]engine.Port{}
	for name, p := range ports {
		if p.Published() {
			published[name] = p
		}
	}
	return published
}

func protocolOf(p engine.Port) string {
	if p.Protocol == "" {
		return "tcp"
	}
	return p.Protocol
}

func portKey(p engine.Port) network.Port {
	key, _ := network.PortFrom(uint16(p.ContainerPort), network.IPProtocol(protocolOf(p))) //nolint:gosec // the catalog checked its range
	return key
}

// portBindings publishes the ports as they were chosen.
func (d *Driver) portBindings(made declared) network.PortMap {
	bindings := network.PortMap{}
	for _, name := range slices.Sorted(maps.Keys(made.Ports)) { // in order: two may lead to one port of the container
		p := made.Ports[name]
		key := portKey(p)
		bindings[key] = append(bindings[key], network.PortBinding{HostIP: d.bindAddress(p), HostPort: strconv.Itoa(made.Chosen[name])})
	}
	return bindings
}

// bindAddress is where a published port listens on the node. On this machine that
// is the loopback, as on local nodes; on another one a port that only the machine
// itself could reach would serve nobody.
func (d *Driver) bindAddress(p engine.Port) netip.Addr {
	address := p.HostAddress
	if address == "" {
		address = d.cfg.Address
	}
	if address == "" && d.reach.onThisMachine() {
		address = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return netip.IPv4Unspecified()
	}
	return ip
}

// endpoint is where a published port is reached.
func (d *Driver) endpoint(p engine.Port, hostPort int) engine.Endpoint {
	address := d.reach.publicAddress(d.cfg.Address)
	if ip, err := netip.ParseAddr(p.HostAddress); err == nil && !ip.IsUnspecified() {
		address = ip.String()
	}
	scheme := "http"
	if protocolOf(p) == "udp" {
		scheme = "udp"
	}
	return engine.Endpoint{Address: address, Port: hostPort,
		URL: fmt.Sprintf("%s://%s", scheme, net.JoinHostPort(address, strconv.Itoa(hostPort)))}
}

package ingress

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// The components of the deployment that is a node's ingress. The router's name is
// looked up by the front, which sees the networks of others too: it is a name that
// nobody else uses.
const (
	Front  = "front"
	Router = "slipway-router"
)

// Where the front finds the router, and its certificates, and where it asks itself.
// ControlPort is between them. None is published.
const (
	routerPort      = engine.FirstIngressPort
	certificatePort = engine.FirstIngressPort + 2
	askPort         = engine.LastIngressPort
)

const envDirectory = "SLIPWAY_ACME_DIRECTORY"

// Where Components put things in their instances.
const (
	socketDir  = "/run/caddy"
	bootFile   = "/etc/caddy/slipway.json"
	acmeCAFile = "/etc/caddy/acme-ca.pem"
	dataDir    = "/data"   // certificates
	configDir  = "/config" // the configuration in force
)

// Components are the proxy of a node as the engine runs it, from an image of
// Caddy. Each begins with nothing but its control port, or with the configuration
// that was in force when it ended, whatever ended it. The instances need EnvToken
// as a secret.
func Components(in Input, image string) (map[string]engine.Component, error) {
	n := in.Node
	boot, err := bootConfig(Input{Node: n})
	if err != nil {
		return nil, err
	}
	front, router := caddy(image, boot), caddy(image, boot)
	front.DependsOn = []string{Router}
	front.Ports = in.introduced(frontPorts(n))
	// The one that takes over has the certificates before the other one goes.
	router.Volumes["data"] = engine.Volume{Path: dataDir, SingleWriter: new(bool)}
	if n.ACMECACertificate != "" {
		router.Files[acmeCAFile] = engine.File{Content: n.ACMECACertificate}
	}
	// One that runs keeps what another authority gave it, and would not ask this one.
	router.Env[envDirectory] = directory(n)
	router.Ports = tcpPorts(n) // nobody is told who sends the bytes
	return map[string]engine.Component{Front: front, Router: router}, nil
}

func caddy(image string, boot []byte) engine.Component {
	return engine.Component{
		Image:        image,
		Command:      []string{"caddy", "run", "--config", bootFile, "--resume"},
		Env:          map[string]string{"XDG_DATA_HOME": dataDir, "XDG_CONFIG_HOME": configDir},
		Secrets:      []string{EnvToken},
		Files:        map[string]engine.File{bootFile: {Content: string(boot)}},
		Volumes:      map[string]engine.Volume{"config": {Path: configDir, SingleWriter: new(bool), OnDestroy: "delete"}},
		Tmpfs:        map[string]engine.Tmpfs{socketDir: {}},
		HealthChecks: map[string]engine.HealthCheck{"control": {HTTP: &engine.HTTPCheck{Port: ControlPort, Path: healthPath, Status: []int{200}}}},
		Restart:      "always",
		// Uploads and downloads under way are finished first.
		StopGracePeriod: "60s",
		Security:        &engine.Security{CapabilitiesDrop: []string{"ALL"}, CapabilitiesAdd: []string{"NET_BIND_SERVICE"}},
	}
}

// bootConfig is the configuration before the first one.
func bootConfig(in Input) ([]byte, error) {
	return json.Marshal(in.place().around(object{"http": in.httpApp(object{})}))
}

// frontPorts are published with the number that they have inside: Caddy names them
// in redirects and to authorities.
func frontPorts(n engine.NodeIngress) map[string]engine.Port {
	http, https := httpPort(n), httpsPort(n)
	return map[string]engine.Port{
		"http":  {ContainerPort: http, HostPort: &http},
		"https": {ContainerPort: https, HostPort: &https},
		"http3": {ContainerPort: https, HostPort: &https, Protocol: "udp"},
	}
}

func tcpPorts(n engine.NodeIngress) map[string]engine.Port {
	var all map[string]engine.Port
	for _, port := range n.TCPPorts {
		if all == nil {
			all = map[string]engine.Port{}
		}
		all[fmt.Sprintf("tcp-%d", port)] = engine.Port{ContainerPort: port, HostPort: &port}
	}
	return all
}

// Declared is the attribute of a node's ingress from which Components made what a
// field of theirs says, such as components.front.ports.http.host_port; "" = the
// ingress itself.
func Declared(field string) string {
	_, port, isPort := strings.Cut(field, ".ports.")
	port, _, _ = strings.Cut(port, ".")
	switch {
	case !isPort:
		return ""
	case port == "http":
		return "http_port"
	case port == "https" || port == "http3":
		return "https_port"
	default:
		return "tcp_ports"
	}
}

// introduced asks for the header that names visitors on connections.
func (in Input) introduced(ports map[string]engine.Port) map[string]engine.Port {
	for name, p := range ports {
		p.ProxyProtocol = in.ProxyProtocol && p.Protocol != "udp"
		ports[name] = p
	}
	return ports
}

func httpPort(n engine.NodeIngress) int  { return cmp.Or(n.HTTPPort, 80) }
func httpsPort(n engine.NodeIngress) int { return cmp.Or(n.HTTPSPort, 443) }

package ingress

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// ComponentName is the one component of the deployment that is a node's ingress.
const ComponentName = "caddy"

// Where Component puts things in the instance.
const (
	socketDir  = "/run/caddy"
	bootFile   = "/etc/caddy/slipway.json"
	acmeCAFile = "/etc/caddy/acme-ca.pem"
	dataDir    = "/data"   // certificates
	configDir  = "/config" // the configuration in force
)

// Component is the proxy of a node as the engine runs it, from an image of Caddy.
// It begins with nothing but its control port, or with the configuration that was
// in force when it ended, whatever ended it. The instance needs EnvToken as a secret.
func Component(n engine.NodeIngress, image string) (engine.Component, error) {
	boot, err := bootConfig(Input{Node: n}.place())
	if err != nil {
		return engine.Component{}, err
	}
	shared := false
	c := engine.Component{
		Image:   image,
		Command: []string{"caddy", "run", "--config", bootFile, "--resume"},
		Env:     map[string]string{"XDG_DATA_HOME": dataDir, "XDG_CONFIG_HOME": configDir},
		Secrets: []string{EnvToken},
		Files:   map[string]engine.File{bootFile: {Content: string(boot)}},
		Ports:   ports(n),
		// The one that takes over has the certificates before the other one goes.
		Volumes: map[string]engine.Volume{
			"data":   {Path: dataDir, SingleWriter: &shared},
			"config": {Path: configDir, SingleWriter: &shared, OnDestroy: "delete"},
		},
		Tmpfs:        map[string]engine.Tmpfs{socketDir: {}},
		HealthChecks: map[string]engine.HealthCheck{"control": {HTTP: &engine.HTTPCheck{Port: ControlPort, Path: healthPath, Status: []int{200}}}},
		Restart:      "always",
		// Uploads and downloads under way are finished first.
		StopGracePeriod: "60s",
		Security: &engine.Security{
			CapabilitiesDrop: []string{"ALL"}, CapabilitiesAdd: []string{"NET_BIND_SERVICE"},
		},
		Ulimits: map[string]engine.Ulimit{"nofile": {Soft: 65536, Hard: 65536}},
	}
	if n.ACMECACertificate != "" {
		c.Files[acmeCAFile] = engine.File{Content: n.ACMECACertificate}
	}
	return c, nil
}

// bootConfig is the configuration before the first one.
func bootConfig(p place) ([]byte, error) {
	return json.Marshal(p.around(object{"http": object{"servers": object{controlServer: p.controlServer()}}}))
}

// ports are published with the number that they have inside: Caddy names them in
// redirects and to authorities.
func ports(n engine.NodeIngress) map[string]engine.Port {
	http, https := httpPort(n), httpsPort(n)
	all := map[string]engine.Port{
		"http":  {ContainerPort: http, HostPort: &http},
		"https": {ContainerPort: https, HostPort: &https},
		"http3": {ContainerPort: https, HostPort: &https, Protocol: "udp"},
	}
	for _, port := range n.TCPPorts {
		all[fmt.Sprintf("tcp-%d", port)] = engine.Port{ContainerPort: port, HostPort: &port}
	}
	return all
}

func httpPort(n engine.NodeIngress) int  { return cmp.Or(n.HTTPPort, 80) }
func httpsPort(n engine.NodeIngress) int { return cmp.Or(n.HTTPSPort, 443) }

package catalog

import (
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

func TestValidateDocker(t *testing.T) {
	type D = engine.DockerNode
	const certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
	const key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
	for name, test := range map[string]struct {
		node          D
		field, reason string // "" when fine
	}{
		"default":             {D{}, "", ""},
		"context":             {D{Context: "cellar"}, "", ""},
		"host and context":    {D{Host: "unix:///x", Context: "cellar"}, "context", "either"},
		"socket":              {D{Host: "unix:///var/run/docker.sock"}, "", ""},
		"relative socket":     {D{Host: "unix://docker.sock"}, "host", "docker.sock"},
		"no scheme":           {D{Host: "/var/run/docker.sock"}, "host", "not the address"},
		"another scheme":      {D{Host: "http://a:2375"}, "host", "not the address"},
		"only a scheme":       {D{Host: "tcp://"}, "host", "not the address"},
		"tcp":                 {D{Host: "tcp://[::1]:2376", TLS: &engine.DockerTLS{CACertificate: certificate, Certificate: certificate}}, "", ""},
		"no port":             {D{Host: "tcp://a"}, "host", "tcp://host:2376"},
		"no such port":        {D{Host: "tcp://a:b"}, "host", "not the address"},
		"ssh":                 {D{Host: "ssh://me@a:22/run/docker.sock", SSH: &engine.DockerSSH{}}, "", ""},
		"ssh, no host":        {D{Host: "ssh://me@"}, "host", "not the address"},
		"a password":          {D{Host: "ssh://me:canary@a"}, "host", "not the address"},
		"tls of a socket":     {D{Host: "unix:///x", TLS: &engine.DockerTLS{}}, "tls", "tcp://"},
		"tls of a context":    {D{Context: "cellar", TLS: &engine.DockerTLS{}}, "", ""},
		"ssh of a socket":     {D{SSH: &engine.DockerSSH{}}, "ssh", "ssh://"},
		"no certificate":      {D{Host: "tcp://a:1", TLS: &engine.DockerTLS{CACertificate: "x"}}, "tls.ca_certificate", "PEM"},
		"a key for it":        {D{Host: "tcp://a:1", TLS: &engine.DockerTLS{Certificate: key}}, "tls.certificate", "PEM"},
		"address":             {D{Address: "here"}, "address", "IP"},
		"path":                {D{AllowedHostPaths: []string{"/srv"}, AllowedDevices: []string{"/dev/dri"}}, "", ""},
		"relative path":       {D{AllowedHostPaths: []string{"/srv", "srv"}}, "allowed_host_paths.1", "srv"},
		"device without path": {D{AllowedDevices: []string{"fuse"}}, "allowed_devices.0", "fuse"},
	} {
		t.Run(name, func(t *testing.T) {
			err := ValidateDocker(test.node)
			wantComplaint(t, err, engine.ErrInvalid, test.field, test.reason)
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the password is told: %v", err)
			}
		})
	}
}

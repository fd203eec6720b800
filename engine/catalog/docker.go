package catalog

import (
	"encoding/pem"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// ValidateDocker checks how a Docker Engine is reached, as far as words tell.
// Fields are relative to the node's docker.
func ValidateDocker(d engine.DockerNode) error {
	var p problems
	p.add(checkAddress("address", d.Address))
	if d.Host != "" && d.Context != "" {
		p.invalid("context", "a node has either a host or a context")
	}
	scheme := ""
	if d.Host != "" {
		where, err := url.Parse(d.Host)
		if err != nil || !reachable(where) {
			p.invalid("host", "%q is not the address of a Docker Engine: write unix:///var/run/docker.sock, tcp://host:2376 or ssh://user@host, without a password", withoutUser(d.Host))
			return p.err() // what follows depends on it
		}
		scheme = where.Scheme
	}
	if d.TLS != nil && scheme != "tcp" && d.Context == "" {
		p.invalid("tls", "only a tcp:// host uses TLS")
	}
	if d.SSH != nil && scheme != "ssh" && d.Context == "" {
		p.invalid("ssh", "only an ssh:// host is logged in at")
	}
	if d.TLS != nil {
		p.add(checkPEM("tls.ca_certificate", d.TLS.CACertificate))
		p.add(checkPEM("tls.certificate", d.TLS.Certificate))
	}
	p.add(checkAbsolute("allowed_host_paths", d.AllowedHostPaths))
	p.add(checkAbsolute("allowed_devices", d.AllowedDevices))
	return p.err()
}

// reachable reports whether the address has what its scheme needs.
func reachable(where *url.URL) bool {
	switch where.Scheme {
	case "unix", "npipe":
		return where.Host == "" && path.IsAbs(where.Path)
	case "tcp":
		return where.Hostname() != "" && where.Port() != "" && where.User == nil
	case "ssh":
		_, password := where.User.Password()
		return where.Hostname() != "" && !password
	default:
		return false
	}
}

// withoutUser leaves out what may be a password.
func withoutUser(host string) string {
	scheme, rest, _ := strings.Cut(host, "://")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		return scheme + "://…" + rest[at:]
	}
	return host
}

// checkPEM wants certificates; "" is not judged.
func checkPEM(field, text string) error {
	if block, _ := pem.Decode([]byte(text)); text != "" && (block == nil || block.Type != "CERTIFICATE") {
		return engine.Invalid(field, "this is not a PEM encoded certificate")
	}
	return nil
}

func checkAbsolute(field string, paths []string) error {
	var p problems
	for i, dir := range paths {
		if !path.IsAbs(dir) || slices.Contains(paths[:i], dir) {
			p.invalid(field+"."+strconv.Itoa(i), "%q is not an absolute path, or listed twice", dir)
		}
	}
	return p.err()
}

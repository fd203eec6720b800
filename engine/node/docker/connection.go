package docker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Connection is how to reach a Docker Engine. The zero value is the one of
// DOCKER_HOST (with DOCKER_CERT_PATH), else the one on this machine.
type Connection struct {
	Host    string // unix:///path, tcp://host:port, ssh://user@host[:port][/path of the socket]
	Context string // name of a Docker context, instead of Host
	TLS     *TLS   // of a tcp host
	SSH     SSH    // of an ssh host
}

// TLS proves both sides of a TCP connection; every field is PEM.
type TLS struct {
	CA, Certificate, PrivateKey string
}

// connectTimeout bounds how long a connection may take to be made.
const connectTimeout = 10 * time.Second

// reach is where the Docker Engine is, and what else can be reached through it.
type reach struct {
	host  string // as configured, for messages
	where *url.URL
	ssh   *sshLink // nil when it is not reached over ssh
}

// connect makes the client; nothing is sent yet.
func connect(c Connection) (*client.Client, *reach, error) {
	c, err := resolveConnection(c)
	if err != nil {
		return nil, nil, err
	}
	where, err := url.Parse(c.Host)
	if err != nil || where.Scheme == "" {
		e := engine.Invalid("docker.host", "%q is not the address of a Docker Engine", c.Host)
		e.Hint = "write unix:///var/run/docker.sock, tcp://host:2376 or ssh://user@host"
		return nil, nil, e
	}
	r := &reach{host: c.Host, where: where}
	transport := &http.Transport{
		MaxIdleConns: 32, MaxIdleConnsPerHost: 32, IdleConnTimeout: 30 * time.Second,
		// No HTTP/2: preparing for it, the transport would get a TLS configuration,
		// and the client take that for the wish to use TLS.
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
	options := []client.Opt{client.WithHTTPClient(&http.Client{Transport: transport, CheckRedirect: client.CheckRedirect}), client.WithHost(c.Host),
		client.WithHTTPResponseHook(noticeLink)}
	switch where.Scheme {
	case "unix", "npipe":
	case "tcp", "http", "https":
		if transport.TLSClientConfig, err = tlsConfig(c.TLS, where.Hostname()); err != nil {
			return nil, nil, err
		}
	case "ssh":
		if r.ssh, err = newSSHLink(where, c.SSH); err != nil {
			return nil, nil, err
		}
		options[1] = client.WithHost("tcp://docker.invalid:2375") // the dialer below knows better
		options = append(options, client.WithDialContext(func(ctx context.Context, _, _ string) (net.Conn, error) {
			return r.ssh.dialEngine(ctx)
		}))
	default:
		return nil, nil, engine.Invalid("docker.host", "%q is not one of unix, npipe, tcp and ssh", where.Scheme)
	}
	api, err := client.New(options...)
	if err != nil {
		return nil, nil, engine.Invalid("docker.host", "%q is not the address of a Docker Engine: %v", c.Host, err)
	}
	return api, r, nil
}

// resolveConnection fills in what a context or the environment says.
func resolveConnection(c Connection) (Connection, error) {
	switch {
	case c.Context != "":
		return contextConnection(c)
	case c.Host != "":
		return c, nil
	case os.Getenv(client.EnvOverrideHost) == "":
		c.Host = client.DefaultDockerHost
		return c, nil
	}
	c.Host = os.Getenv(client.EnvOverrideHost)
	if dir := os.Getenv(client.EnvOverrideCertPath); c.TLS == nil && dir != "" && strings.HasPrefix(c.Host, "tcp:") {
		t, err := readTLS(dir)
		c.TLS = t
		return c, err
	}
	return c, nil
}

func tlsConfig(t *TLS, serverName string) (*tls.Config, error) {
	if t == nil {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName}
	if t.CA != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(t.CA)) {
			return nil, engine.Invalid("docker.tls.ca_certificate", "there is no PEM certificate in it")
		}
	}
	if t.Certificate != "" || t.PrivateKey != "" {
		pair, err := tls.X509KeyPair([]byte(t.Certificate), []byte(t.PrivateKey))
		if err != nil {
			e := engine.Invalid("docker.tls.certificate", "the certificate and the private key do not fit together: %v", err)
			e.Hint = "give both as PEM, the key as private_key_wo"
			return nil, e
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// local reports whether the Docker Engine is reached by a socket of this machine.
func (r *reach) local() bool { return r.where.Scheme == "unix" || r.where.Scheme == "npipe" }

// onThisMachine also counts TCP to a loopback address.
func (r *reach) onThisMachine() bool {
	if r.local() {
		return true
	}
	host := r.where.Hostname()
	ip, err := netip.ParseAddr(host)
	return r.ssh == nil && (host == "localhost" || err == nil && ip.IsLoopback())
}

// publicAddress is where others reach published ports that name no address.
func (r *reach) publicAddress(configured string) string {
	ip, err := netip.ParseAddr(configured)
	switch {
	case configured != "" && (err != nil || !ip.IsUnspecified()):
		return configured
	case r.onThisMachine():
		return "127.0.0.1"
	default:
		return r.where.Hostname()
	}
}

func (r *reach) close() {
	if r.ssh != nil {
		r.ssh.close()
	}
}

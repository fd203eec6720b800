package testimage

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/crypto/bcrypt"

	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
)

// RealOptions of a RealRegistry.
type RealOptions struct {
	Host string // address to listen on, "" = 127.0.0.1, which Docker takes without TLS too
	TLS  bool   // with a certificate that it signed itself
}

// RealRegistry is a running docker-registry.
type RealRegistry struct {
	host, address      string
	username, password string
	certificate        string // PEM, "" without TLS
}

// DebianRegistry starts Debian's docker-registry with a password on a free port.
// The program is the machine's own or, where it has none, the package's;
// where neither can be had the test is skipped.
func DebianRegistry(t testing.TB, o RealOptions) *RealRegistry {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		program = filepath.Join(t.TempDir(), "docker-registry")
		extract(t, FromDebian(t, Options{}, "docker-registry"), "usr/bin/docker-registry", program)
	}
	r := &RealRegistry{host: cmp.Or(o.Host, "127.0.0.1"), username: "ci", password: "registry-password-1"}
	if err := r.start(t, program, o.TLS); err != nil {
		t.Fatalf("docker-registry: %v", err)
	}
	return r
}

// URL is host:port, the first part of image references.
func (r *RealRegistry) URL() string { return r.address }

// Credential opens the registry.
func (r *RealRegistry) Credential() image.Credential {
	c := image.Credential{URL: r.address, Username: r.username, Password: r.password, CACertificate: r.certificate}
	if r.certificate == "" {
		c.URL = "http://" + r.address
	}
	return c
}

// Push stores an image under name:tag and answers its reference,
// host:port/name:tag@sha256:….
func (r *RealRegistry) Push(t testing.TB, nameTag string, img v1.Image) string {
	t.Helper()
	var options []name.Option
	if r.certificate == "" {
		options = append(options, name.Insecure)
	}
	tag, err := name.NewTag(r.address+"/"+nameTag, options...)
	if err != nil {
		t.Fatalf("push: %v", err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatalf("push: %v", err)
	}
	in := remote.WithAuth(&authn.Basic{Username: r.username, Password: r.password})
	if err := remote.Write(tag, img, in, remote.WithTransport(r.transport())); err != nil {
		t.Fatalf("push %s: %v", nameTag, err)
	}
	return image.Pin(tag.String(), digest.String())
}

const registryConfig = `version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: %[1]s/data}, delete: {enabled: true}}
http: {addr: %[2]s, secret: a-secret-of-this-test%[3]s}
auth: {htpasswd: {realm: test, path: %[1]s/htpasswd}}
`

func (r *RealRegistry) start(t testing.TB, program string, secured bool) error {
	dir := t.TempDir()
	over := ""
	if secured {
		certificate, key, err := SelfSigned(r.host)
		if err != nil {
			return err
		}
		if err := errors.Join(os.WriteFile(dir+"/cert.pem", certificate, 0o600), os.WriteFile(dir+"/key.pem", key, 0o600)); err != nil {
			return err
		}
		r.certificate, over = string(certificate), fmt.Sprintf(", tls: {certificate: %[1]s/cert.pem, key: %[1]s/key.pem}", dir)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(r.password), bcrypt.MinCost)
	if err != nil {
		return err
	}
	if err := os.WriteFile(dir+"/htpasswd", fmt.Appendf(nil, "%s:%s\n", r.username, hash), 0o600); err != nil {
		return err
	}
	// The registry cannot tell which port it took, so it is given one that was free
	// a moment ago, and another when it lost it.
	for range 5 {
		if r.address, err = freeAddress(r.host); err != nil {
			return err
		}
		if err := os.WriteFile(dir+"/config.yml", fmt.Appendf(nil, registryConfig, dir, r.address, over), 0o600); err != nil {
			return err
		}
		if err = r.serve(t, program, dir+"/config.yml"); err == nil {
			return nil
		}
	}
	return err
}

func (r *RealRegistry) serve(t testing.TB, program, config string) error {
	cmd := exec.Command(program, "serve", config)
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	stop := func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !r.answers() {
		select {
		case <-ended:
			return fmt.Errorf("it ended: %s", output.String())
		case <-deadline:
			stop()
			return errors.New("it did not answer in time")
		case <-tick.C:
		}
	}
	t.Cleanup(stop)
	return nil
}

func (r *RealRegistry) answers() bool {
	client := http.Client{Timeout: time.Second, Transport: r.transport()}
	scheme := "http://"
	if r.certificate != "" {
		scheme = "https://"
	}
	resp, err := client.Get(scheme + r.address + "/v2/")
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusUnauthorized
}

func freeAddress(host string) (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// transport trusts the registry.
func (r *RealRegistry) transport() http.RoundTripper {
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM([]byte(r.certificate))
	return &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}}
}

// extract writes one file of an image as a program.
func extract(t testing.TB, img v1.Image, path, to string) {
	t.Helper()
	content := mutate.Extract(img)
	defer content.Close() //nolint:errcheck // read as far as needed
	if err := copyEntry(content, path, to); err != nil {
		t.Fatalf("extract %s: %v", path, err)
	}
}

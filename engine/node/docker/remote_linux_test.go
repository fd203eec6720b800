package docker_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/docker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

// authority signs certificates for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotAfter: time.Now().Add(time.Hour)}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a.must(err)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	a.must(err)
	a.cert, err = x509.ParseCertificate(der)
	a.must(err)
	a.key, a.pem = key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return a
}

func (a *authority) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// issue makes a certificate for 127.0.0.1 and its key.
func (a *authority) issue(serial int64) (certificate, key string) {
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "somebody"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a.must(err)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &private.PublicKey, a.key)
	a.must(err)
	bytes, err := x509.MarshalPKCS8PrivateKey(private)
	a.must(err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bytes}))
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A Docker Engine on TCP proves itself and wants proof; a Docker context leads there too.
func TestTLS(t *testing.T) {
	a := newAuthority(t)
	dir := t.TempDir()
	serverCert, serverKey := a.issue(2)
	clientCert, clientKey := a.issue(3)
	address := testdocker.FreePort(t)
	testdocker.New(t, testdocker.Options{TCP: address, TLS: []string{"--tlsverify",
		"--tlscacert", write(t, filepath.Join(dir, "ca.pem"), a.pem),
		"--tlscert", write(t, filepath.Join(dir, "cert.pem"), serverCert),
		"--tlskey", write(t, filepath.Join(dir, "key.pem"), serverKey)}})

	good := docker.Connection{Host: "tcp://" + address, TLS: &docker.TLS{CA: a.pem, Certificate: clientCert, PrivateKey: clientKey}}
	b := newBench(t, open(t, docker.Config{Connection: good}))
	key := b.start("api-1-1", 1, engine.Component{})
	b.serving(key)
	if got := b.tool(key, "pwd"); got != "/" { // a hijacked connection over TLS
		t.Errorf("pwd says %q", got)
	}

	unavailable := func(c docker.Connection) {
		t.Helper()
		_, err := open(t, docker.Config{Connection: c}).Info(t.Context())
		if !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("error %v", err)
		}
	}
	stranger := newAuthority(t)
	strangeCert, strangeKey := stranger.issue(4)
	unavailable(docker.Connection{Host: good.Host, TLS: &docker.TLS{CA: a.pem}})
	unavailable(docker.Connection{Host: good.Host, TLS: &docker.TLS{CA: a.pem, Certificate: strangeCert, PrivateKey: strangeKey}})
	unavailable(docker.Connection{Host: good.Host, TLS: &docker.TLS{CA: stranger.pem, Certificate: clientCert, PrivateKey: clientKey}})
	_, err := docker.New(docker.Config{Connection: docker.Connection{Host: good.Host, TLS: &docker.TLS{Certificate: clientCert, PrivateKey: strangeKey}}})
	if !errors.Is(err, engine.ErrInvalid) || strings.Contains(err.Error(), "PRIVATE KEY") {
		t.Errorf("a key that does not fit: %v", err)
	}

	t.Setenv("DOCKER_CONFIG", dir)
	id := sha256.Sum256([]byte("prod"))
	meta, err := json.Marshal(map[string]any{"Name": "prod", "Endpoints": map[string]any{"docker": map[string]string{"Host": good.Host}}})
	if err != nil {
		t.Fatal(err)
	}
	name := hex.EncodeToString(id[:])
	write(t, filepath.Join(dir, "contexts/meta", name, "meta.json"), string(meta))
	for file, text := range map[string]string{"ca.pem": a.pem, "cert.pem": clientCert, "key.pem": clientKey} {
		write(t, filepath.Join(dir, "contexts/tls", name, "docker", file), text)
	}
	if _, err := open(t, docker.Config{Connection: docker.Connection{Context: "prod"}}).Info(t.Context()); err != nil {
		t.Errorf("through a context: %v", err)
	}
	if _, err := docker.New(docker.Config{Connection: docker.Connection{Context: "none"}}); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("a context that nobody made: %v", err)
	}
}

// Hosts that cannot be understood are refused when the node is declared.
func TestHosts(t *testing.T) {
	for _, host := range []string{"here", "ftp://host", "tcp://", "ssh://"} {
		if _, err := docker.New(docker.Config{Connection: docker.Connection{Host: host, SSH: docker.SSH{KnownHosts: "x"}}}); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%q: %v", host, err)
		}
	}
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "none.sock"))
	d := open(t, docker.Config{})
	_, err := d.Info(t.Context())
	var e *engine.Error
	if !errors.Is(err, engine.ErrUnavailable) || !errors.As(err, &e) || e.Hint == "" || !strings.Contains(e.Reason, os.Getenv("DOCKER_HOST")) {
		t.Errorf("nobody answers at DOCKER_HOST: %v", err)
	}
}

package testdocker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// NewTLS starts a private Engine that also listens on an address of TCP, shows a
// certificate of the authority there, and wants to see one.
func NewTLS(t testing.TB) (d *Daemon, address string, a *Authority) {
	t.Helper()
	a = NewAuthority(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		a.must(os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	certificate, key := a.Issue()
	address = FreePort(t)
	d = New(t, Options{TCP: address, TLS: []string{"--tlsverify", "--tlscacert", file("ca.pem", a.PEM),
		"--tlscert", file("cert.pem", certificate), "--tlskey", file("key.pem", key)}})
	return d, address, a
}

// Authority signs certificates for a test.
type Authority struct {
	PEM string // its own certificate

	t      testing.TB
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	serial int64
}

// NewAuthority makes one that nobody knows yet.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{t: t, serial: 1}
	template := &x509.Certificate{SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotAfter: time.Now().Add(time.Hour)}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a.must(err)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	a.must(err)
	a.cert, err = x509.ParseCertificate(der)
	a.must(err)
	a.key, a.PEM = key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return a
}

func (a *Authority) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// Issue makes a certificate for 127.0.0.1 and its key.
func (a *Authority) Issue() (certificate, key string) {
	a.t.Helper()
	a.serial++
	template := &x509.Certificate{SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: "somebody"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a.must(err)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &private.PublicKey, a.key)
	a.must(err)
	bytes, err := x509.MarshalPKCS8PrivateKey(private)
	a.must(err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bytes}))
}

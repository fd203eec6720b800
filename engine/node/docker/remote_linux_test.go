package docker_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/docker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

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
	dir := t.TempDir()
	_, address, a := testdocker.NewTLS(t)
	clientCert, clientKey := a.Issue()

	good := docker.Connection{Host: "tcp://" + address, TLS: &docker.TLS{CA: a.PEM, Certificate: clientCert, PrivateKey: clientKey}}
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
	stranger := testdocker.NewAuthority(t)
	strangeCert, strangeKey := stranger.Issue()
	unavailable(docker.Connection{Host: good.Host, TLS: &docker.TLS{CA: a.PEM}})
	unavailable(docker.Connection{Host: good.Host, TLS: &docker.TLS{CA: a.PEM, Certificate: strangeCert, PrivateKey: strangeKey}})
	unavailable(docker.Connection{Host: good.Host, TLS: &docker.TLS{CA: stranger.PEM, Certificate: clientCert, PrivateKey: clientKey}})
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
	for file, text := range map[string]string{"ca.pem": a.PEM, "cert.pem": clientCert, "key.pem": clientKey} {
		write(t, filepath.Join(dir, "contexts/tls", name, "docker", file), text)
	}
	inContext := docker.Config{Connection: docker.Connection{Context: "prod"}}
	if here, there, other := place(t, docker.Config{Connection: good}), place(t, inContext), place(t, over(daemon(t).Host)); here != there || here == other {
		t.Errorf("one Engine is in %q, and through a context in %q; another one is in %q", here, there, other)
	}
	if _, err := docker.New(docker.Config{Connection: docker.Connection{Context: "none"}}); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("a context that nobody made: %v", err)
	}
}

// place is what a Docker Engine says that it is.
func place(t *testing.T, c docker.Config) string {
	t.Helper()
	d := open(t, c)
	defer d.Close()
	info, err := d.Info(t.Context())
	if err != nil {
		t.Errorf("%+v: %v", c.Connection, err)
	}
	return info.Place
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

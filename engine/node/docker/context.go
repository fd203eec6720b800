package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// contextConnection reads the Docker context of that name, as docker context
// keeps it below DOCKER_CONFIG or ~/.docker.
func contextConnection(c Connection) (Connection, error) {
	if c.Host != "" {
		return c, engine.Invalid("docker.context", "a node has either a host or a context")
	}
	dir, err := dockerConfigDir()
	if err != nil {
		return c, err
	}
	id := sha256.Sum256([]byte(c.Context))
	name := hex.EncodeToString(id[:])
	text, err := os.ReadFile(filepath.Join(dir, "contexts", "meta", name, "meta.json"))
	if err != nil {
		e := engine.Invalid("docker.context", "there is no Docker context %q: %v", c.Context, err)
		e.Hint = "docker context ls shows those of this user"
		return c, e
	}
	var meta struct {
		Endpoints map[string]struct{ Host string }
	}
	if err := json.Unmarshal(text, &meta); err != nil || meta.Endpoints["docker"].Host == "" {
		return c, engine.Invalid("docker.context", "the Docker context %q names no Docker Engine", c.Context)
	}
	c.Host = meta.Endpoints["docker"].Host
	if c.TLS == nil {
		c.TLS, err = readTLS(filepath.Join(dir, "contexts", "tls", name, "docker"))
	}
	return c, err
}

func dockerConfigDir() (string, error) {
	if dir := os.Getenv("DOCKER_CONFIG"); dir != "" {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", engine.Invalid("docker.context", "this user has no home directory to look for Docker contexts in: %v", err)
	}
	return filepath.Join(home, ".docker"), nil
}

// readTLS reads ca.pem, cert.pem and key.pem, nil when there is none of them.
func readTLS(dir string) (*TLS, error) {
	var t TLS
	for name, into := range map[string]*string{"ca.pem": &t.CA, "cert.pem": &t.Certificate, "key.pem": &t.PrivateKey} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, engine.Invalid("docker.tls", "a certificate of the Docker Engine cannot be read: %v", err)
		}
		*into = string(text)
	}
	if t == (TLS{}) {
		return nil, nil
	}
	return &t, nil
}

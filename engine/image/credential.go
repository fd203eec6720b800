package image

import "strings"

// Credential opens the part of a registry that its URL names.
type Credential struct {
	URL           string // host[:port][/prefix]; http:// in front for plain HTTP
	Username      string // "" = anonymous
	Password      string
	CACertificate string // PEM, trusted beside the system's; "" = the system's only
}

// For is the credential of the registry that an image is in, whatever its URL was.
func (c Credential) For(reference string, plainHTTP bool) Credential {
	c.URL = reference
	if r, err := Parse(reference); err == nil {
		c.URL = r.Registry
	}
	if plainHTTP {
		c.URL = "http://" + c.URL
	}
	return c
}

// PlainHTTP reports whether the registry is spoken to without TLS: only when its
// URL begins with http://.
func (c Credential) PlainHTTP() bool { return strings.HasPrefix(strings.ToLower(c.URL), "http://") }

// Host is the registry's host[:port], index.docker.io for every name of Docker Hub.
func (c Credential) Host() string {
	host, _ := c.split()
	return host
}

// prefix is the repository path that the credential is limited to, "" for all.
func (c Credential) prefix() string {
	_, prefix := c.split()
	return prefix
}

func (c Credential) split() (host, prefix string) {
	address := c.URL
	if _, rest, found := strings.Cut(address, "://"); found {
		address = rest
	}
	host, prefix, _ = strings.Cut(address, "/")
	host, prefix = canonicalHost(host), strings.Trim(prefix, "/")
	// docker login writes Docker Hub as https://index.docker.io/v1/.
	if prefix == "v1" || prefix == "v2" {
		prefix = ""
	}
	return host, prefix
}

const dockerHub = "index.docker.io"

func canonicalHost(host string) string {
	switch host = strings.ToLower(host); host {
	case "docker.io", "registry-1.docker.io", "registry.hub.docker.com", "hub.docker.com":
		return dockerHub
	}
	return host
}

// Match picks the credential for an image: the same host, and the longest path
// prefix that ends where a path segment ends. Of equals the first wins.
func Match(reference string, creds []Credential) (Credential, bool) {
	r, err := Parse(reference)
	if err != nil {
		return Credential{}, false
	}
	best, found := Credential{}, false
	for _, c := range creds {
		if c.Host() != canonicalHost(r.Registry) || !within(r.Repository, c.prefix()) {
			continue
		}
		if !found || len(c.prefix()) > len(best.prefix()) {
			best, found = c, true
		}
	}
	return best, found
}

func within(repository, prefix string) bool {
	return prefix == "" || repository == prefix || strings.HasPrefix(repository, prefix+"/")
}

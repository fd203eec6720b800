package testimage

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
)

// RegistryOptions of a RegistryServer.
type RegistryOptions struct {
	Username, Password string // "" = open to everybody
	Token              bool   // ask for bearer tokens from /token instead of basic authentication
	TLS                bool   // with a certificate of its own
	Dir                string // where blobs are kept; "" = in memory, for a test: a directory that goes with it
	Address            string // to listen on, "" = a free port of 127.0.0.1
}

// RegistryServer is an OCI registry in this process. What is pushed with Push
// never counts as a request and never meets a fault.
type RegistryServer struct {
	options RegistryOptions
	store   http.Handler // the registry itself
	secured *httptest.Server
	address string

	mu     sync.Mutex
	server *http.Server
	seen   []string
	faults faults
}

// Registry starts a registry that ends with the test.
func Registry(t testing.TB, o RegistryOptions) *RegistryServer {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	r, err := NewRegistry(o)
	if err != nil {
		t.Fatalf("registry: %v", err)
	}
	t.Cleanup(r.Close)
	return r
}

// NewRegistry starts a registry; Close ends it.
func NewRegistry(o RegistryOptions) (*RegistryServer, error) {
	options := []registry.Option{registry.Logger(log.New(io.Discard, "", 0))}
	if o.Dir != "" {
		options = append(options, registry.WithBlobHandler(registry.NewDiskBlobHandler(o.Dir)))
	}
	r := &RegistryServer{options: o, store: registry.New(options...), address: o.Address}
	if r.address == "" {
		r.address = "127.0.0.1:0"
	}
	if o.TLS { // borrowed for its certificate
		r.secured = httptest.NewTLSServer(http.NotFoundHandler())
	}
	return r, r.listen()
}

func (r *RegistryServer) listen() error {
	l, err := net.Listen("tcp", r.address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: r, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.address, r.server = l.Addr().String(), server
	if r.secured != nil {
		server.TLSConfig = r.secured.TLS.Clone()
		go server.ServeTLS(l, "", "") //nolint:errcheck // it ends with Close
	} else {
		go server.Serve(l) //nolint:errcheck // it ends with Close
	}
	return nil
}

// Close ends the registry.
func (r *RegistryServer) Close() {
	r.Off()
	if r.secured != nil {
		r.secured.Close()
	}
}

// Off refuses connections until On, which listens on the same port again.
func (r *RegistryServer) Off() {
	r.mu.Lock()
	server := r.server
	r.mu.Unlock()
	_ = server.Close()
	r.releaseHeld()
}

// On ends Off.
func (r *RegistryServer) On() error { return r.listen() }

// URL is host:port, the first part of image references.
func (r *RegistryServer) URL() string { return r.address }

// Credential opens the registry, as plain HTTP or with its certificate.
func (r *RegistryServer) Credential() image.Credential {
	c := image.Credential{URL: "http://" + r.address, Username: r.options.Username, Password: r.options.Password}
	if r.options.TLS {
		c.URL, c.CACertificate = r.address, r.CACertificate()
	}
	return c
}

// CACertificate is the PEM of who signed the registry's certificate, "" without TLS.
func (r *RegistryServer) CACertificate() string {
	if r.secured == nil {
		return ""
	}
	return pemOf(r.secured.Certificate().Raw)
}

// Push stores an image or index under name:tag and answers its reference,
// host:port/name:tag@sha256:….
func (r *RegistryServer) Push(t testing.TB, nameTag string, what remote.Taggable) string {
	t.Helper()
	pinned, err := r.Store(nameTag, what)
	if err != nil {
		t.Fatalf("push %s: %v", nameTag, err)
	}
	return pinned
}

// Store is Push without a test.
func (r *RegistryServer) Store(nameTag string, what remote.Taggable) (string, error) {
	tag, err := name.NewTag(r.address + "/" + nameTag)
	if err != nil {
		return "", err
	}
	direct := remote.WithTransport(directTransport{r.store})
	var digest v1.Hash
	switch what := what.(type) {
	case v1.ImageIndex:
		digest, err = what.Digest()
		err = errors.Join(err, remote.WriteIndex(tag, what, direct))
	case v1.Image:
		digest, err = what.Digest()
		err = errors.Join(err, remote.Write(tag, what, direct))
	default:
		return "", fmt.Errorf("%T is neither an image nor an index", what)
	}
	return image.Pin(tag.String(), digest.String()), err
}

// Count is how many requests since the start had "METHOD path" begin with the text.
func (r *RegistryServer) Count(prefix string) int {
	n := 0
	for _, line := range r.Requests() {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

// CountSuffix is how many requests since the start had a path that ends with the
// text, such as a digest.
func (r *RegistryServer) CountSuffix(suffix string) int {
	n := 0
	for _, line := range r.Requests() {
		if strings.HasSuffix(line, suffix) {
			n++
		}
	}
	return n
}

// Requests are all requests since the start, "METHOD path", in order.
func (r *RegistryServer) Requests() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.seen...)
}

// ServeHTTP implements http.Handler.
func (r *RegistryServer) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.seen = append(r.seen, req.Method+" "+req.URL.Path)
	r.mu.Unlock()
	if r.misbehaves(w, req) || !r.admits(w, req) {
		return
	}
	r.store.ServeHTTP(w, req)
}

// directTransport hands requests to a handler without a network.
type directTransport struct{ http.Handler }

func (d directTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	if req.Body == nil {
		req.Body = http.NoBody
	}
	d.ServeHTTP(w, req)
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

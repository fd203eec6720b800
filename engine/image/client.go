package image

import (
	"context"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Options of a Client. A zero field takes the default named beside it.
type Options struct {
	Platform      string        // whose labels Resolve reads; "" = linux/ and this machine's architecture
	Timeout       time.Duration // of one Resolve or Check; 0 = 10s
	DialTimeout   time.Duration // 0 = 3s
	AnswerTimeout time.Duration // from request to the answer's headers; 0 = 10s
	StallTimeout  time.Duration // without a byte on a connection; 0 = 30s
	Retries       int           // after the first try, of GET and HEAD only; 0 = 2
	RetryWait     time.Duration // before the first retry, doubled up to tenfold; 0 = 200ms

	Transport http.RoundTripper // where requests go, for tests; nil = to the registry
}

func (o Options) withDefaults() Options {
	if o.Platform == "" {
		o.Platform = "linux/" + runtime.GOARCH
	}
	orElse := func(d *time.Duration, fallback time.Duration) {
		if *d == 0 {
			*d = fallback
		}
	}
	orElse(&o.Timeout, 10*time.Second)
	orElse(&o.DialTimeout, 3*time.Second)
	orElse(&o.AnswerTimeout, 10*time.Second)
	orElse(&o.StallTimeout, 30*time.Second)
	orElse(&o.RetryWait, 200*time.Millisecond)
	if o.Retries == 0 {
		o.Retries = 2
	}
	return o
}

// Client asks registries about images. It is safe for concurrent use and logs in
// once per repository and credential.
type Client struct {
	options Options

	mu     sync.Mutex
	opened map[door]http.RoundTripper
	ways   map[door]*repeating // by registry and credential
}

// door is what one login is good for.
type door struct {
	registry, repository string
	cred                 Credential
}

// NewClient makes a client; it connects to nothing yet.
func NewClient(o Options) *Client {
	return &Client{options: o.withDefaults(), opened: map[door]http.RoundTripper{}, ways: map[door]*repeating{}}
}

// Resolve asks the registry what a reference is now: its digest (of the index when
// there is one), its platforms, and the labels of the image for the client's
// platform (none when there is no such image). A reference with a digest is checked
// to exist. Errors: ErrInvalid, ErrNotFound, ErrDenied, ErrUnavailable.
func (c *Client) Resolve(ctx context.Context, reference string, cred Credential) (engine.Image, error) {
	r, err := Parse(reference)
	if err != nil {
		return engine.Image{}, err
	}
	bounded, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	var found engine.Image
	err = Persist(bounded, func() (err error) {
		found, err = c.resolve(bounded, r, cred)
		return err
	})
	if err != nil && ctx.Err() != nil {
		return engine.Image{}, ctx.Err()
	}
	return found, Explain(r, cred, err)
}

func (c *Client) resolve(ctx context.Context, r Reference, cred Credential) (engine.Image, error) {
	d, err := c.get(ctx, r, cred)
	if err != nil {
		return engine.Image{}, err
	}
	found := engine.Image{Reference: r.String(), Digest: d.Digest.String()}
	mine, err := describe(d, c.options.Platform, &found)
	if err != nil || mine == nil {
		return found, err
	}
	config, err := mine.ConfigFile()
	if err != nil {
		return found, err
	}
	if len(found.Platforms) == 0 {
		found.Platforms = []string{platformOf(config.Platform())}
	}
	found.Labels, found.Created = config.Config.Labels, config.Created.Time
	return found, nil
}

// Check tries the credential at its registry: ErrDenied when it is refused,
// ErrUnavailable when the registry does not answer.
func (c *Client) Check(ctx context.Context, cred Credential) error {
	bounded, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	r := Reference{Registry: cred.Host()}
	err := c.check(bounded, r, cred)
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return Explain(r, cred, err)
}

func (c *Client) check(ctx context.Context, r Reference, cred Credential) error {
	registry, err := name.NewRegistry(r.Registry)
	if err != nil || r.Registry == "" {
		return engine.Invalid("url", "%q is not a registry: write host[:port][/prefix], with http:// in front for plain HTTP", cred.URL)
	}
	way, err := c.way(r.Registry, cred)
	if err != nil {
		return err
	}
	in, err := transport.NewWithContext(ctx, registry, authenticator(cred), way, nil)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, registry.Scheme()+"://"+r.Registry+"/v2/", nil)
	if err != nil {
		return err
	}
	resp, err := in.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // only its status is read
	return transport.CheckError(resp, http.StatusOK)
}

// Fetch opens the image for a platform behind a reference, to read its manifest,
// configuration and layers under ctx, each checked against its digest.
// ErrUnsupported when there is none for the platform.
func (c *Client) Fetch(ctx context.Context, reference, platform string, cred Credential) (v1.Image, error) {
	r, err := Parse(reference)
	if err != nil {
		return nil, err
	}
	var found v1.Image
	err = Persist(ctx, func() error {
		d, err := c.get(ctx, r, cred)
		if err != nil {
			return err
		}
		found, err = choose(d, r, platform)
		return err
	})
	return found, Explain(r, cred, err)
}

// get reads the manifest or index that the reference names.
func (c *Client) get(ctx context.Context, r Reference, cred Credential) (*remote.Descriptor, error) {
	ref, err := name.ParseReference(r.String())
	if err != nil {
		return nil, invalidReference(r.String())
	}
	in, err := c.login(ctx, ref, cred)
	if err != nil {
		return nil, err
	}
	return remote.Get(ref, remote.WithTransport(in), remote.WithContext(ctx))
}

// login opens the repository for reading, once.
func (c *Client) login(ctx context.Context, ref name.Reference, cred Credential) (http.RoundTripper, error) {
	repository := ref.Context()
	key := door{repository.RegistryStr(), repository.RepositoryStr(), cred}
	c.mu.Lock()
	in, found := c.opened[key]
	c.mu.Unlock()
	if found {
		return in, nil
	}
	way, err := c.way(key.registry, cred)
	if err != nil {
		return nil, err
	}
	in, err = transport.NewWithContext(ctx, repository.Registry, authenticator(cred), way, []string{ref.Scope(transport.PullScope)})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened[key] = in
	return in, nil
}

// way gives the one way to a registry with a credential: repositories share its
// connections.
func (c *Client) way(registry string, cred Credential) (http.RoundTripper, error) {
	key := door{registry: registry, cred: cred}
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.ways[key]; ok {
		return found, nil
	}
	made, err := transportFor(registry, cred, c.options)
	if err == nil {
		c.ways[key] = made
	}
	return made, err
}

// Close lets idle connections go. The client can still be used.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.ways {
		w.base.CloseIdleConnections()
	}
}

func authenticator(cred Credential) authn.Authenticator {
	if cred.Username == "" && cred.Password == "" {
		return authn.Anonymous
	}
	return &authn.Basic{Username: cred.Username, Password: cred.Password}
}

package image

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// transportFor builds the way to one registry: TLS unless the credential allows
// plain HTTP, retries for what is safe to repeat, and no wait without an end.
func transportFor(host string, cred Credential, o Options) (*repeating, error) {
	roots, err := rootsOf(cred)
	if err != nil {
		return nil, err
	}
	base := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dialer(o),
		TLSClientConfig:       &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       30 * time.Second,
		TLSHandshakeTimeout:   o.DialTimeout,
		ResponseHeaderTimeout: o.AnswerTimeout,
	}
	forced := &schemeTransport{inner: base, host: host, plain: cred.PlainHTTP()}
	if o.Transport != nil {
		forced.inner = o.Transport
	}
	return &repeating{base: base, once: forced, again: retries(forced, o)}, nil
}

func rootsOf(cred Credential) (*x509.CertPool, error) {
	if cred.CACertificate == "" {
		return nil, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM([]byte(cred.CACertificate)) {
		return nil, engine.Invalid("ca_certificate", "the CA certificate of registry %s holds no PEM certificate", cred.Host())
	}
	return roots, nil
}

// dialer gives connections that fail when nothing arrives for a while, so that a
// registry that stalls half-way through a layer does not hold a pull for ever.
func dialer(o Options) func(context.Context, string, string) (net.Conn, error) {
	d := &net.Dialer{Timeout: o.DialTimeout, KeepAlive: 15 * time.Second}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &impatientConn{Conn: conn, patience: o.StallTimeout}, nil
	}
}

type impatientConn struct {
	net.Conn
	patience time.Duration
}

func (c *impatientConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// schemeTransport decides between TLS and plain HTTP by what was configured; the
// library below guesses by the host's name, and never refuses plain HTTP on loopback.
type schemeTransport struct {
	inner http.RoundTripper
	host  string
	plain bool
}

func (t *schemeTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	scheme := req.URL.Scheme
	switch {
	case req.URL.Host == t.host && t.plain:
		scheme = "http"
	case req.URL.Host == t.host:
		scheme = "https"
	case scheme == "http" && !t.plain:
		return nil, errors.New("it sends us on to an address without TLS")
	}
	if scheme != req.URL.Scheme {
		req = req.Clone(req.Context())
		req.URL.Scheme = scheme
	}
	return t.inner.RoundTrip(req)
}

// repeating sends what is safe to repeat through the retries and the rest once.
type repeating struct {
	base        *http.Transport
	once, again http.RoundTripper
}

func (t *repeating) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet || req.Method == http.MethodHead {
		return t.again.RoundTrip(req)
	}
	return t.once.RoundTrip(req)
}

func retries(inner http.RoundTripper, o Options) http.RoundTripper {
	c := retryablehttp.NewClient()
	c.Logger = nil
	c.ErrorHandler = retryablehttp.PassthroughErrorHandler
	c.RetryMax = o.Retries
	c.RetryWaitMin, c.RetryWaitMax = o.RetryWait, 10*o.RetryWait
	c.CheckRetry = worthRepeating
	// Redirects belong to the caller, who knows which host may see credentials.
	c.HTTPClient = &http.Client{Transport: inner, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	return &retryablehttp.RoundTripper{Client: c}
}

// worthRepeating refuses to wait longer than a person would.
func worthRepeating(ctx context.Context, resp *http.Response, err error) (bool, error) {
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) || (resp != nil && retryAfter(resp) > maxRetryAfter) {
		return false, err
	}
	return retryablehttp.DefaultRetryPolicy(ctx, resp, err)
}

// maxRetryAfter is the longest pause that a registry may ask for; a longer one is
// reported instead of waited for.
const maxRetryAfter = 5 * time.Second

func retryAfter(resp *http.Response) time.Duration {
	value := resp.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return time.Until(at)
	}
	return 0
}

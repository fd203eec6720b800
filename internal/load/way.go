package load

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
)

// way is how requests come to a target.
type way struct {
	target   Target
	kept     *http.Transport  // connections that stay
	visitors []http.CookieJar // in turn, none = cookies are forgotten
}

func newWay(to Target, m Mix) *way {
	w := &way{target: to}
	w.kept = w.transport()
	for range m.Visitors {
		jar, _ := cookiejar.New(nil) // it never fails
		w.visitors = append(w.visitors, jar)
	}
	return w
}

// Answers asks once, without a load.
func (t Target) Answers(ctx context.Context) error {
	one := &Run{ways: []*way{newWay(t, Mix{})}}
	defer one.ways[0].kept.CloseIdleConnections()
	_, err := one.ask(ctx, one.way(0), Quick, 0)
	return err
}

func (w *way) transport() *http.Transport {
	return &http.Transport{
		DialContext: w.dial, TLSClientConfig: w.target.TLS.Clone(), ForceAttemptHTTP2: w.target.HTTP2,
		MaxIdleConnsPerHost: 1 << 16, DisableCompression: true,
	}
}

func (w *way) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if w.target.Address != "" {
		address = w.target.Address
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// through is what sends a request: the transport of all, or one whose connection
// nobody else has, and which ends with done.
func (w *way) through(fresh bool) (_ *http.Transport, done func()) {
	if !fresh {
		return w.kept, func() {}
	}
	one := w.transport()
	one.DisableKeepAlives = true
	return one, one.CloseIdleConnections
}

// roundTrip sends a request as the nth of them.
func (w *way) roundTrip(through *http.Transport, req *http.Request, n int) (*http.Response, error) {
	if len(w.visitors) == 0 {
		return through.RoundTrip(req)
	}
	who := w.visitors[n%len(w.visitors)]
	for _, c := range who.Cookies(req.URL) {
		req.AddCookie(c)
	}
	resp, err := through.RoundTrip(req)
	if err == nil {
		who.SetCookies(req.URL, resp.Cookies())
	}
	return resp, err
}

// tlsFor is for a connection of HTTP/1.1.
func (w *way) tlsFor(host string) *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if w.target.TLS != nil {
		config = w.target.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	config.NextProtos = []string{"http/1.1"}
	return config
}

// hostPort is the address that a URL says, with the usual port where it names none.
func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), u.Scheme)
}

package ingress

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Via proves that the proxy gets an answer of an instance as the site would,
// whether a visitor is sent there or not. Any answer does: whether it is the right
// one is for health checks to say. For TCP sites it proves nothing: they are
// proven by Answers.
func (c *Client) Via(ctx context.Context, s Site, address string) error {
	if c.component != Router || s.Route.Protocol == engine.RouteTCP {
		return nil
	}
	path := prefix(s.Route)
	if s.Route.StripPrefix {
		path = ""
	}
	protocol := s.Route.Protocol
	if protocol == "" {
		protocol = engine.RouteHTTP
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://ingress:%d%s%s/", c.at.control, viaPath, path), nil)
	if err != nil {
		return err
	}
	req.Host = visited(s.Route)
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set(upstreamHeader, address)
	req.Header.Set(protocolHeader, protocol)
	r, err := c.do(req)
	if err != nil {
		return err
	}
	return c.judge(r, "the ingress cannot reach the instance")
}

// Certified reports whether a certificate that is valid now was got for a site
// which is coming.
func (c *Client) Certified(ctx context.Context, s Site, now time.Time) (bool, error) {
	if c.component != Router {
		return true, nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://ingress:%d%s", portOf(c.at.certificates), comingPath), nil)
	if err != nil {
		return false, err
	}
	req.Host = visited(s.Route)
	req.Header.Set(tokenHeader, c.token)
	r, err := c.do(req)
	if err != nil {
		return false, err
	}
	block, _ := pem.Decode(r.body)
	if block == nil {
		return false, nil
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	return err == nil && now.Before(leaf.NotAfter), err
}

// Answers proves that a visitor of the site gets an answer of the component.
func (c *Client) Answers(ctx context.Context, s Site) error {
	tcp := s.Route.Protocol == engine.RouteTCP
	switch {
	case tcp && c.component == Router:
		return c.connects(ctx, s.Route.ListenPort)
	case tcp || c.component == Router:
		return nil
	}
	scheme, port := "http", httpPort(c.node)
	if s.Route.TLS != nil {
		scheme, port = "https", httpsPort(c.node)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s://%s:%d%s/", scheme, visited(s.Route), port, prefix(s.Route)), nil)
	if err != nil {
		return err
	}
	r, err := c.do(req)
	if err != nil {
		return err
	}
	return c.judge(r, "the ingress answers a visitor itself instead of the component")
}

func (c *Client) judge(r response, reason string) error {
	if !r.own() {
		return nil
	}
	return &engine.Error{Class: engine.ErrUnavailable, Reason: reason + ": " + r.said(),
		Hint: "See whether the component listens on the route's port, on all addresses, and speaks the route's protocol"}
}

// visited is a host that the site's visitors might name.
func visited(r engine.Route) string {
	switch {
	case r.Host == "":
		return nameless
	case strings.HasPrefix(r.Host, "*."):
		return "slipway" + r.Host[1:]
	default:
		return r.Host
	}
}

// closedWithin is how long a connection stays open that no instance took.
const closedWithin = 300 * time.Millisecond

// connects proves that a connection gets further than the proxy, which closes it
// at once when no instance takes it.
func (c *Client) connects(ctx context.Context, port int) error {
	conn, err := c.dial(ctx, port)
	if err != nil {
		return unreachable(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, closedWithin)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })()
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return &engine.Error{Class: engine.ErrUnavailable, Reason: fmt.Sprintf("the ingress gets no connection to an instance for port %d", port),
		Hint: "See whether the component listens on the route's port, on all addresses"}
}

package health

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Limits of an answer.
const (
	maxBody   = 64 << 10 // where a wanted body is looked for
	maxHeader = 64 << 10
)

// http asks once: no redirect is followed, no proxy used, no certificate verified.
func (p probe) http(ctx context.Context, c engine.HTTPCheck) (string, bool) {
	port, err := p.port(c.Port, c.PortName)
	if err != nil {
		return err.Error(), false
	}
	request, err := newRequest(ctx, c, port)
	if err != nil {
		return fmt.Sprintf("the check makes no valid request: %v", err), false
	}
	asked := "GET " + request.URL.String()
	answer, err := p.client(port, request.Host).Do(request)
	if err != nil {
		return p.httpFailure(ctx, asked, port, err), false
	}
	defer answer.Body.Close()
	asked += " answered " + strings.TrimSpace(answer.Status)
	if !wantedStatus(c.Status, answer.StatusCode) {
		body, _ := io.ReadAll(io.LimitReader(answer.Body, maxDetail)) // what came is enough for a message
		return withDetail(asked, head(body)), false
	}
	if c.Body == "" {
		return asked, true
	}
	body, _ := io.ReadAll(io.LimitReader(answer.Body, maxBody)) // what is looked for may come before what broke
	if !bytes.Contains(body, []byte(c.Body)) {
		return withDetail(fmt.Sprintf("%s without %q in its body", asked, c.Body), head(body)), false
	}
	return asked, true
}

func newRequest(ctx context.Context, c engine.HTTPCheck, port int) (*http.Request, error) {
	url := cmp.Or(c.Scheme, "http") + "://localhost:" + strconv.Itoa(port) + cmp.Or(c.Path, "/")
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Host = cmp.Or(c.Host, "localhost")
	request.Header.Set("User-Agent", "slipway-health")
	request.Close = true
	return request, nil
}

func (p probe) client(port int, host string) *http.Client {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return p.target.Dial(ctx, network, port)
			},
			TLSClientConfig:        &tls.Config{InsecureSkipVerify: true, ServerName: name}, //nolint:gosec // asked is whether it works, not who it is
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (p probe) httpFailure(ctx context.Context, asked string, port int, err error) string {
	switch {
	case ctx.Err() != nil:
		return p.interrupted(ctx, asked+" gave no answer")
	case refused(err):
		return fmt.Sprintf("port %d refused the connection", port)
	case errors.Is(err, io.EOF):
		return asked + " closed the connection without an answer"
	}
	return fmt.Sprintf("%s failed: %v", asked, errors.Unwrap(err)) // without the URL again
}

// wantedStatus takes an empty list for 200 to 399.
func wantedStatus(wanted []int, status int) bool {
	if len(wanted) == 0 {
		return status >= 200 && status <= 399
	}
	return slices.Contains(wanted, status)
}

package core_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// isSecured gives the host a certificate, and then one more host that no authority
// proves: nobody notices that. 2.0.0 serves, and shall again.
func (x *gate) isSecured(d engine.Deployment) {
	x.Helper()
	d.Version = x.refs["5.0.0"]
	_, err := x.engine.UpdateDeployment(x.Context(), d, nil)
	x.must(err)
	x.servesSecurely()
	d.Version, d.Strategy.ProgressDeadline = x.refs["6.0.0"], "3s"
	if _, err = x.engine.UpdateDeployment(x.Context(), d, nil); err == nil || !strings.Contains(err.Error(), "no certificate for other.test") {
		x.Errorf("a host that no authority proves: %v", err)
	}
	x.servesSecurely()
	if status, body := x.get("other.test", "/"); status != http.StatusNotFound {
		x.Errorf("a visitor of a host without a certificate gets %d %q", status, body)
	}
	d.Version, d.Strategy.ProgressDeadline = x.refs["2.0.0"], engine.DefaultStrategy.ProgressDeadline
	_, err = x.engine.UpdateDeployment(x.Context(), d, nil)
	x.must(err)
	x.serves("2")
}

// servesSecurely visits by TLS, and is sent there from elsewhere.
func (x *gate) servesSecurely() {
	x.Helper()
	if status, _ := x.get("shop.test", "/"); status != http.StatusPermanentRedirect {
		x.Errorf("a visitor by plain HTTP gets %d", status)
	}
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // whose certificate it is is not asked
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", x.node.Ingress.HTTPSPort))
	}
	browser := http.Client{Timeout: time.Minute, Transport: transport}
	answer, err := browser.Get("https://shop.test/")
	x.must(err)
	defer answer.Body.Close()
	if text, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(text), "2") {
		x.Errorf("a visitor by TLS gets %d %q %v", answer.StatusCode, text, err)
	}
}

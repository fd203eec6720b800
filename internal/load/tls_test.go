package load

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"golang.org/x/net/websocket"
)

func TestTLSByName(t *testing.T) {
	t.Parallel()
	pages := http.NewServeMux()
	pages.HandleFunc("/work", func(w http.ResponseWriter, r *http.Request) {
		read, _ := io.Copy(io.Discard, r.Body)
		w.Header().Set("App-Version", r.TLS.ServerName)
		_, _ = io.WriteString(w, strconv.FormatInt(read, 10))
	})
	pages.Handle("/websocket", websocket.Handler(func(c *websocket.Conn) { _, _ = io.Copy(c, c) }))
	server := httptest.NewTLSServer(pages)
	defer server.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	to := Target{URL: "https://example.com", Address: server.Listener.Addr().String(), TLS: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}}
	run := Start(to, small)
	until(t, "echoes", func() bool { return run.Report().ByKind[Websocket] > 10 })
	run.after(t, 50)
	if r := run.Stop(); r.Failed != 0 || r.ByVersion["example.com"] != r.Requests-r.ByKind[Websocket] {
		t.Errorf("%s", r)
	}

	to.TLS = nil // nobody else knows who signed it
	run = Start(to, small)
	run.after(t, 20)
	if r := run.Stop(); r.Failed != r.Requests {
		t.Errorf("%s", r)
	}
}

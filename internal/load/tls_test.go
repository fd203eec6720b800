package load

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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

func TestSeveralTargets(t *testing.T) {
	t.Parallel()
	var strangers, known atomic.Int64
	var closed atomic.Bool
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if closed.Load() {
			http.NotFound(w, r)
			return
		}
		if cookie, err := r.Cookie("at"); err == nil && cookie.Value == r.Proto {
			known.Add(1)
		} else {
			strangers.Add(1)
		}
		w.Header().Set("App-Version", r.Proto)
		http.SetCookie(w, &http.Cookie{Name: "at", Value: r.Proto})
		_, _ = io.WriteString(w, "0")
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	plain := Target{URL: "https://example.com", Address: server.Listener.Addr().String(), TLS: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}}
	second := plain
	second.HTTP2 = true
	if err := second.Answers(t.Context()); err != nil {
		t.Fatal(err)
	}
	strangers.Store(0)
	mix := Mix{Rate: 200, Fresh: 0.3, Visitors: 3, Patience: time.Minute, AtOnce: 1}
	run := Start(plain, mix, second)
	run.after(t, 100)
	r := run.Stop()
	if r.Failed != 0 || len(r.ByTarget) != 2 || r.ByTarget[plain.String()].Requests < 50 || r.ByVersion["HTTP/2.0"] != r.ByTarget[second.String()].Requests {
		t.Errorf("%s", r)
	}
	if strangers.Load() != 6 || int(known.Load()) != r.Requests-6 {
		t.Errorf("of %d requests %d came from who was not there before, want 3 of each target", r.Requests, strangers.Load())
	}

	closed.Store(true)
	if err := plain.Answers(t.Context()); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("what is not there: %v", err)
	}
}

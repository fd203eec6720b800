package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// host is a Target on this machine's loopback.
type host struct {
	exec func(ctx context.Context, command []string) (int, string, error)
}

func (host) Dial(ctx context.Context, network string, port int) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

func (h host) Exec(ctx context.Context, command []string) (int, string, error) {
	return h.exec(ctx, command)
}

func portOf(a net.Addr) int { return a.(*net.TCPAddr).Port }

// closedPort is one that nobody listens on.
func closedPort(t *testing.T) int {
	t.Helper()
	l := listen(t)
	l.Close()
	return portOf(l.Addr())
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// wantResult compares with a message in which PORT stands for port.
func wantResult(t *testing.T, r Result, ok bool, message string, port int) {
	t.Helper()
	message = strings.ReplaceAll(message, "PORT", strconv.Itoa(port))
	if r.OK != ok || r.Message != message {
		t.Errorf("ok %v, %q\nwant %v, %q", r.OK, r.Message, ok, message)
	}
	if time.Since(r.At) > time.Minute {
		t.Errorf("the probe ended at %v", r.At)
	}
}

func application(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		fmt.Fprintf(w, "all is well on %s", r.Host)
	case "/sick":
		http.Error(w, "no\ndatabase"+strings.Repeat("!", 500), http.StatusServiceUnavailable)
	case "/away":
		http.Redirect(w, r, "/sick", http.StatusFound)
	case "/long":
		fmt.Fprint(w, strings.Repeat(".", maxBody), "too late")
	case "/hang":
		<-r.Context().Done()
	case "/endless":
		w.WriteHeader(http.StatusOK)
		fmt.Fprint(w, "first words")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	case "/drop":
		panic(http.ErrAbortHandler)
	default:
		http.NotFound(w, r)
	}
}

func TestProbeHTTP(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(application))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(application))
	defer secure.Close()
	const short, long = 300 * time.Millisecond, 10 * time.Second
	for name, test := range map[string]struct {
		check   engine.HTTPCheck
		timeout time.Duration
		ok      bool
		message string
	}{
		"fine":               {engine.HTTPCheck{Path: "/healthz"}, long, true, "GET http://localhost:PORT/healthz answered 200 OK"},
		"default path":       {engine.HTTPCheck{}, long, false, "GET http://localhost:PORT/ answered 404 Not Found: 404 page not found"},
		"sick":               {engine.HTTPCheck{Path: "/sick"}, long, false, "GET http://localhost:PORT/sick answered 503 Service Unavailable: no database" + strings.Repeat("!", 200-len("no\ndatabase"))},
		"sick is wanted":     {engine.HTTPCheck{Path: "/sick", Status: []int{200, 503}}, long, true, "GET http://localhost:PORT/sick answered 503 Service Unavailable"},
		"200 is not wanted":  {engine.HTTPCheck{Path: "/healthz", Status: []int{204}}, long, false, "GET http://localhost:PORT/healthz answered 200 OK: all is well on localhost"},
		"redirect":           {engine.HTTPCheck{Path: "/away"}, long, true, "GET http://localhost:PORT/away answered 302 Found"},
		"body":               {engine.HTTPCheck{Path: "/healthz", Body: "well"}, long, true, "GET http://localhost:PORT/healthz answered 200 OK"},
		"host":               {engine.HTTPCheck{Path: "/healthz", Body: "on shop.acme.dev", Host: "shop.acme.dev"}, long, true, "GET http://localhost:PORT/healthz answered 200 OK"},
		"default host":       {engine.HTTPCheck{Path: "/healthz", Body: "on localhost"}, long, true, "GET http://localhost:PORT/healthz answered 200 OK"},
		"wrong body":         {engine.HTTPCheck{Path: "/healthz", Body: "ready"}, long, false, `GET http://localhost:PORT/healthz answered 200 OK without "ready" in its body: all is well on localhost`},
		"body after 64 KiB":  {engine.HTTPCheck{Path: "/long", Body: "too late"}, long, false, `GET http://localhost:PORT/long answered 200 OK without "too late" in its body: ` + strings.Repeat(".", 200)},
		"no answer":          {engine.HTTPCheck{Path: "/hang"}, short, false, "GET http://localhost:PORT/hang gave no answer within 300ms"},
		"endless body":       {engine.HTTPCheck{Path: "/endless"}, long, true, "GET http://localhost:PORT/endless answered 200 OK"},
		"found in endless":   {engine.HTTPCheck{Path: "/endless", Body: "first"}, long, true, "GET http://localhost:PORT/endless answered 200 OK"},
		"dropped connection": {engine.HTTPCheck{Path: "/drop"}, long, false, "GET http://localhost:PORT/drop closed the connection without an answer"},
		"bad path":           {engine.HTTPCheck{Path: "/%zz"}, long, false, `the check makes no valid request: parse "http://localhost:PORT/%zz": invalid URL escape "%zz"`},
	} {
		t.Run(name, func(t *testing.T) {
			test.check.Port = portOf(plain.Listener.Addr())
			wantResult(t, Probe(t.Context(), host{}, nil, engine.HealthCheck{HTTP: &test.check}, test.timeout), test.ok, test.message, test.check.Port)
		})
	}
	t.Run("https", func(t *testing.T) {
		port := portOf(secure.Listener.Addr())
		check := engine.HTTPCheck{Port: port, Scheme: "https", Path: "/healthz", Host: "shop.acme.dev:443"}
		wantResult(t, Probe(t.Context(), host{}, nil, engine.HealthCheck{HTTP: &check}, long), true, "GET https://localhost:PORT/healthz answered 200 OK", port)
	})
	t.Run("refused", func(t *testing.T) {
		check := engine.HTTPCheck{Port: closedPort(t)}
		wantResult(t, Probe(t.Context(), host{}, nil, engine.HealthCheck{HTTP: &check}, long), false, "port PORT refused the connection", check.Port)
	})
}

func TestProbeTCP(t *testing.T) {
	open := portOf(listen(t).Addr())
	ports := map[string]engine.Port{"web": {ContainerPort: open}}
	for name, test := range map[string]struct {
		check   engine.TCPCheck
		ok      bool
		message string
	}{
		"open":         {engine.TCPCheck{Port: open}, true, "port PORT accepted a connection"},
		"by name":      {engine.TCPCheck{PortName: "web"}, true, "port PORT accepted a connection"},
		"unknown name": {engine.TCPCheck{PortName: "mail"}, false, `the component has no port called "mail"`},
	} {
		t.Run(name, func(t *testing.T) {
			wantResult(t, Probe(t.Context(), host{}, ports, engine.HealthCheck{TCP: &test.check}, 10*time.Second), test.ok, test.message, open)
		})
	}
	t.Run("refused", func(t *testing.T) {
		closed := closedPort(t)
		wantResult(t, Probe(t.Context(), host{}, nil, engine.HealthCheck{TCP: &engine.TCPCheck{Port: closed}}, 10*time.Second), false, "port PORT refused the connection", closed)
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		wantResult(t, Probe(ctx, host{}, nil, engine.HealthCheck{TCP: &engine.TCPCheck{Port: open}}, 10*time.Second), false, "port PORT did not accept a connection before the check was cancelled", open)
	})
}

func TestProbeExec(t *testing.T) {
	for name, test := range map[string]struct {
		exec    func(ctx context.Context, command []string) (int, string, error)
		ok      bool
		message string
	}{
		"fine":       {func(context.Context, []string) (int, string, error) { return 0, "accepting", nil }, true, "pg_isready ended with exit code 0"},
		"fails":      {func(context.Context, []string) (int, string, error) { return 2, "no\nresponse\x00 \xff\n", nil }, false, "pg_isready ended with exit code 2: no response"},
		"silent":     {func(context.Context, []string) (int, string, error) { return 1, "", nil }, false, "pg_isready ended with exit code 1"},
		"last words": {func(context.Context, []string) (int, string, error) { return 1, strings.Repeat("x", 500) + "end", nil }, false, "pg_isready ended with exit code 1: " + strings.Repeat("x", 197) + "end"},
		"error":      {func(context.Context, []string) (int, string, error) { return 0, "", errors.New("no such file") }, false, "pg_isready could not be run: no such file"},
		"hangs":      {func(ctx context.Context, _ []string) (int, string, error) { <-ctx.Done(); return -1, "", ctx.Err() }, false, "pg_isready did not end within 50ms"},
	} {
		t.Run(name, func(t *testing.T) {
			check := engine.HealthCheck{Exec: &engine.ExecCheck{Command: []string{"pg_isready", "--password=secret"}}}
			timeout := 10 * time.Second
			if name == "hangs" {
				timeout = 50 * time.Millisecond
			}
			wantResult(t, Probe(t.Context(), host{exec: test.exec}, nil, check, timeout), test.ok, test.message, 0)
		})
	}
	wantResult(t, Probe(t.Context(), host{}, nil, engine.HealthCheck{}, time.Second), false, "the check has neither http nor tcp nor exec", 0)
}

func TestBackoff(t *testing.T) {
	var b Backoff
	for round := range 2 {
		for i, want := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
			if got := b.Next(); got != want*time.Millisecond {
				t.Errorf("round %d: wait %d is %v, want %v", round, i, got, want*time.Millisecond)
			}
		}
		b.Reset()
	}
}

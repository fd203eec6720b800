package ingress

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// unencrypted2 speaks HTTP/2 without TLS, as gRPC does.
func unencrypted2() *http.Protocols {
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	return &p
}

func TestGRPCStreams(t *testing.T) {
	t.Parallel()
	p := start(t)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status")
		_ = http.NewResponseController(w).Flush()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			_, _ = fmt.Fprintln(w, r.Proto, lines.Text())
			_ = http.NewResponseController(w).Flush()
		}
		w.Header().Set("Grpc-Status", "0")
	}))
	s.Config.Protocols = unencrypted2()
	s.Start()
	t.Cleanup(s.Close)
	for _, measured := range []bool{false, true} {
		grpc := site("grpc", "", "/", s.Listener.Addr().String())
		grpc.Route.Protocol, grpc.Measured = engine.RouteH2C, measured
		p.load(grpc)
		if err := p.router.Via(t.Context(), grpc, s.Listener.Addr().String()); err != nil {
			t.Errorf("via: %v", err)
		}
		if err := p.front.Answers(t.Context(), grpc); err != nil {
			t.Errorf("answers: %v", err)
		}
		in, out := io.Pipe()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url("/svc/Call"), in)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/grpc+proto")
		req.Header.Set("TE", "trailers")
		transport := &http.Transport{Protocols: unencrypted2()}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		heard := bufio.NewReader(resp.Body)
		for n := range 5 {
			_, _ = fmt.Fprintln(out, "line", n)
			if got, err := heard.ReadString('\n'); err != nil || got != fmt.Sprintln("HTTP/2.0", "line", n) {
				t.Fatalf("heard %q, %v", got, err)
			}
		}
		_ = out.Close()
		if _, err := io.ReadAll(heard); err != nil {
			t.Fatal(err)
		}
		if resp.Trailer.Get("Grpc-Status") != "0" {
			t.Errorf("trailers %v", resp.Trailer)
		}
		_ = resp.Body.Close()
		transport.CloseIdleConnections()
	}
}

func TestEventsComeAtOnce(t *testing.T) {
	t.Parallel()
	p := start(t)
	next := make(chan string)
	p.load(site("web", "", "/", serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for event := range next {
			_, _ = fmt.Fprintf(w, "data: %s\n\n", event)
			_ = http.NewResponseController(w).Flush()
		}
	})))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url("/"), nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { next <- "0" }()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	heard := bufio.NewReader(resp.Body)
	for n := range 4 {
		if got, err := heard.ReadString('\n'); err != nil || got != fmt.Sprintf("data: %d\n", n) {
			t.Fatalf("heard %q, %v", got, err)
		}
		_, _ = heard.ReadString('\n')
		next <- fmt.Sprint(n + 1)
	}
	close(next)
}

func TestComponentThatSpeaksHTTPS(t *testing.T) {
	t.Parallel()
	p := start(t)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "secure for "+r.TLS.ServerName)
	}))
	t.Cleanup(s.Close)
	web := site("web", "shop.acme.dev", "/", s.Listener.Addr().String())
	web.Route.Protocol = engine.RouteHTTPS
	p.load(web)
	if _, got := p.get("shop.acme.dev", "/"); got != "secure for shop.acme.dev" {
		t.Errorf("got %s", got)
	}
	if err := p.router.Via(t.Context(), web, s.Listener.Addr().String()); err != nil {
		t.Errorf("via: %v", err)
	}
}

func TestViaTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	p := start(t)
	s := site("web", "shop.acme.dev", "/api", called(t, "web"))
	s.Route.StripPrefix = true
	gone := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	if err := p.router.Via(t.Context(), s, s.Backends[0].Address); err != nil {
		t.Errorf("before anybody is led there: %v", err)
	}
	if err := p.router.Via(t.Context(), s, gone); !errors.Is(err, engine.ErrUnavailable) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("got %v", err)
	}
	if err := p.front.Answers(t.Context(), s); !errors.Is(err, engine.ErrUnavailable) || !strings.Contains(err.Error(), "404") {
		t.Errorf("before anybody is led there: %v", err)
	}
	p.load(s)
	if err := p.front.Answers(t.Context(), s); err != nil {
		t.Error(err)
	}
	// A component's own failure is an answer: health checks judge it.
	s.Backends[0].Address = serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	p.load(s)
	if err := errors.Join(p.front.Answers(t.Context(), s), p.router.Via(t.Context(), s, s.Backends[0].Address)); err != nil {
		t.Error(err)
	}
	s.Backends = nil
	p.load(s)
	if err := p.front.Answers(t.Context(), s); !errors.Is(err, engine.ErrUnavailable) || !strings.Contains(err.Error(), "503") {
		t.Errorf("nobody there: %v", err)
	}
}

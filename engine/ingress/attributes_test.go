package ingress

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// mirror answers what it was sent: the request line, then the headers.
func mirror(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Own", "mirror")
	w.Header().Set("X-Powered-By", "Go")
	w.Header().Set(ownAnswer, "forged")
	body, _ := io.ReadAll(r.Body)
	_, _ = fmt.Fprintf(w, "%s %s %s %d\n", r.Method, r.Host, r.RequestURI, len(body))
	_ = r.Header.Write(w)
}

func TestForwardedHeaders(t *testing.T) {
	t.Parallel()
	p := start(t)
	measured := site("measured", "", "/measured", serve(t, mirror))
	measured.Measured = true
	p.load(site("web", "", "/", serve(t, mirror)), measured)
	for _, path := range []string{"/", "/measured"} {
		_, got := p.get("shop.acme.dev", path,
			"X-Forwarded-For", "6.6.6.6", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil.example", "X-Forwarded-Port", "1",
			"Forwarded", "for=6.6.6.6", "X-Real-IP", "6.6.6.6")
		for _, want := range []string{"X-Forwarded-For: 127.0.0.1\r\n", "X-Forwarded-Proto: http\r\n", "X-Forwarded-Host: shop.acme.dev\r\n", "GET shop.acme.dev " + path} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", path, want, got)
			}
		}
		for _, not := range []string{"6.6.6.6", "evil", "Expect", "X-Slipway", token, "X-Forwarded-Port"} {
			if strings.Contains(got, not) {
				t.Errorf("%s: %q in\n%s", path, not, got)
			}
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	p := start(t)
	s := site("web", "", "/", serve(t, mirror))
	s.Route.RequestHeaders = map[string]string{"X-Set": "{env." + EnvToken + "} {x} \\{y}", "Cookie": "", "Host": "inner.example", "X-Forwarded-For": "1.2.3.4"}
	s.Route.ResponseHeaders = map[string]string{"X-Frame-Options": "{http.request.host}", "X-Powered-By": "", "Via": ""}
	p.load(s)
	resp, got := p.get("shop.acme.dev", "/", "Cookie", "a=b", "X-Set", "visitor's")
	for _, want := range []string{"X-Set: {env." + EnvToken + "} {x} \\{y}\r\n", "GET inner.example /", "X-Forwarded-For: 1.2.3.4\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "Cookie") || strings.Contains(got, "visitor's") {
		t.Errorf("got\n%s", got)
	}
	h := resp.Header
	if h.Get("X-Frame-Options") != "{http.request.host}" || h.Get("X-Powered-By") != "" || h.Get("X-Own") != "mirror" || h.Get(ownAnswer) != "" {
		t.Errorf("got %v", h)
	}
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	p := start(t)
	limited := site("limited", "", "/limited", serve(t, mirror))
	limited.Route.MaxBodySize = "1Ki"
	p.load(limited, site("web", "", "/", serve(t, mirror)))
	large := strings.Repeat("x", 1025)
	if resp, got := p.ask(http.MethodPost, "h", "/limited", large); resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d %s", resp.StatusCode, got)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url("/limited"), struct{ io.Reader }{strings.NewReader(large)})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("too large in the end: %d", resp.StatusCode)
	}
	for path, body := range map[string]string{"/limited": large[1:], "/": strings.Repeat("y", 3<<20)} {
		if resp, got := p.ask(http.MethodPost, "h", path, body); resp.StatusCode != 200 || !strings.Contains(got, fmt.Sprintf(" %d\n", len(body))) {
			t.Errorf("%s: %d %.80s", path, resp.StatusCode, got)
		}
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	p := start(t)
	release := make(chan struct{})
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/quick" {
			w.WriteHeader(http.StatusOK) // and then takes its time
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, "at last")
	})
	s := site("web", "", "/", address)
	s.Route.Timeout = "2s"
	p.load(s)
	if resp, got := p.get("h", "/slow"); resp.StatusCode != http.StatusGatewayTimeout || resp.Header.Get(ownAnswer) != "504" {
		t.Errorf("got %d %s", resp.StatusCode, got)
	}
	go func() {
		_, _ = p.get("h", "/slow") // twice the timeout
		close(release)
	}()
	if resp, got := p.get("h", "/quick"); resp.StatusCode != 200 || got != "at last" {
		t.Errorf("an answer that began in time: %d %s", resp.StatusCode, got)
	}
}

func TestSticky(t *testing.T) {
	t.Parallel()
	p := start(t)
	var addresses []string
	for i := range 4 {
		addresses = append(addresses, called(t, fmt.Sprint("instance", i)))
	}
	s := site("web", "", "/", addresses...)
	s.Route.Sticky = &engine.RouteSticky{Cookie: "at"}
	measured := site("measured", "m", "/", addresses...)
	measured.Route.Sticky = &engine.RouteSticky{}
	measured.Backends[3].Canary, measured.CanaryWeight = true, 50
	p.load(s, measured)
	seen := map[string]bool{}
	for _, host := range []string{"h", "m"} {
		for range 12 {
			resp, first := p.get(host, "/")
			seen[host+first] = true
			cookies := []string{}
			for _, c := range resp.Cookies() {
				cookies = append(cookies, c.Name+"="+c.Value)
				for _, a := range addresses {
					if strings.Contains(c.Value, a) {
						t.Errorf("the cookie tells an address: %s", c)
					}
				}
			}
			for range 3 {
				if _, again := p.get(host, "/", "Cookie", strings.Join(cookies, "; ")); again != first {
					t.Fatalf("%s: first %s, then %s with %v", host, first, again, cookies)
				}
			}
		}
	}
	if len(seen) != 8 {
		t.Errorf("not all instances were seen: %v", seen)
	}
}

func TestInstancesThatFail(t *testing.T) {
	t.Parallel()
	p := start(t)
	gone := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	p.load(site("one", "one", "/", gone), site("some", "some", "/", gone, called(t, "left"), gone))
	for range 20 {
		if resp, got := p.ask(http.MethodPost, "some", "/", "body"); resp.StatusCode != 200 || got != "left /" {
			t.Fatalf("got %d %s", resp.StatusCode, got)
		}
	}
	// A request that breaks its connection is not sent to others.
	var asked atomic.Int64
	breaks := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		panic(http.ErrAbortHandler)
	})
	p.load(site("one", "one", "/", gone), site("breaks", "breaks", "/", breaks, breaks))
	if resp, _ := p.get("breaks", "/"); resp.StatusCode != http.StatusBadGateway || asked.Load() != 1 {
		t.Errorf("got %d after %d tries", resp.StatusCode, asked.Load())
	}
	if resp, _ := p.get("one", "/"); resp.StatusCode != http.StatusBadGateway || resp.Header.Get(ownAnswer) == "" {
		t.Errorf("got %d", resp.StatusCode)
	}
}

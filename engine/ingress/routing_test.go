package ingress

import (
	"net/http"
	"testing"
)

func TestRouting(t *testing.T) {
	t.Parallel()
	p := start(t)
	stripped := site("stripped", "shop.acme.dev", "/strip", called(t, "stripped"))
	stripped.Route.StripPrefix = true
	p.load(
		site("root", "shop.acme.dev", "/", called(t, "root")),
		site("api", "shop.acme.dev", "/api", called(t, "api")),
		site("v2", "shop.acme.dev", "/api/v2/", called(t, "v2")),
		stripped,
		site("wild", "*.acme.dev", "", called(t, "wild")),
		site("any", "", "/any", called(t, "any")),
		site("empty", "empty.acme.dev", ""),
	)
	for _, test := range []struct {
		host, path, want string
		status           int
	}{
		{"shop.acme.dev", "/", "root /", 200},
		{"SHOP.acme.dev:8080", "/x?q=1", "root /x?q=1", 200},
		{"shop.acme.dev", "/api", "api /api", 200},
		{"shop.acme.dev", "/api/x", "api /api/x", 200},
		{"shop.acme.dev", "/apix", "root /apix", 200},
		{"shop.acme.dev", "/API", "root /API", 200},
		{"shop.acme.dev", "/api/v2", "v2 /api/v2", 200},
		{"shop.acme.dev", "/api/v2/y%2Fz", "v2 /api/v2/y%2Fz", 200},
		{"shop.acme.dev", "/api/v20", "api /api/v20", 200},
		{"shop.acme.dev", "/strip", "stripped /", 200},
		{"shop.acme.dev", "/strip/a/b?c", "stripped /a/b?c", 200},
		{"other.acme.dev", "/api", "wild /api", 200},
		{"a.b.acme.dev", "/", "404 Not Found\n", 404},
		{"else.example", "/any/thing", "any /any/thing", 200},
		{"127.0.0.1", "/any", "any /any", 200},
		{"else.example", "/", "404 Not Found\n", 404},
		{"empty.acme.dev", "/", "503 Service Unavailable\n", 503},
	} {
		resp, got := p.get(test.host, test.path)
		if resp.StatusCode != test.status || got != test.want {
			t.Errorf("%s%s: got %d %q, want %d %q", test.host, test.path, resp.StatusCode, got, test.status, test.want)
		}
		if own := resp.Header.Get(ownAnswer) != ""; own != (test.status != 200) {
			t.Errorf("%s%s: marked as the proxy's own: %t", test.host, test.path, own)
		}
		if again := resp.Header.Get("Retry-After") != ""; again != (test.status == http.StatusServiceUnavailable) {
			t.Errorf("%s%s: Retry-After: %t", test.host, test.path, again)
		}
	}
}

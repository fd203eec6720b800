package image_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
)

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestParse(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"nginx", "index.docker.io/library/nginx:latest"},
		{"nginx:1.27", "index.docker.io/library/nginx:1.27"},
		{"docker.io/nginx", "index.docker.io/library/nginx:latest"},
		{"acme/shop", "index.docker.io/acme/shop:latest"},
		{"registry.acme.dev/shop/api:1.4.0", "registry.acme.dev/shop/api:1.4.0"},
		{"localhost/api", "localhost/api:latest"},
		{"localhost:5000/api", "localhost:5000/api:latest"},
		{"127.0.0.1:5000/a/b/c:x", "127.0.0.1:5000/a/b/c:x"},
		{"nginx@" + digest, "index.docker.io/library/nginx@" + digest},
		{"nginx:1.27@" + digest, "index.docker.io/library/nginx:1.27@" + digest},
		{"localhost:5000/api@" + digest, "localhost:5000/api@" + digest},
	} {
		got, err := image.Parse(c.in)
		if err != nil || got.String() != c.want {
			t.Errorf("Parse(%q) = %q, %v; want %q", c.in, got, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, in := range []string{"", "UPPER/case", "a b", "nginx:", "nginx@", "nginx@sha256:12", "nginx:ü", "http://nginx", "nginx@" + digest + "@" + digest, ":tag", "host:port/name"} {
		got, err := image.Parse(in)
		if !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("Parse(%q) = %+v, %v; want ErrInvalid", in, got, err)
		}
	}
}

func TestPin(t *testing.T) {
	const want = "index.docker.io/library/nginx:1.27@" + digest
	for _, in := range []string{"nginx:1.27", want, "nginx:1.27@" + strings.Replace(digest, "0", "f", 1)} {
		if got := image.Pin(in, digest); got != want {
			t.Errorf("Pin(%q) = %q, want %q", in, got, want)
		}
	}
	if got := image.Digest(want); got != digest {
		t.Errorf("Digest = %q", got)
	}
	if got := image.Digest("nginx"); got != "" {
		t.Errorf("Digest of a tag = %q", got)
	}
	if got := image.Repository(want); got != "index.docker.io/library/nginx" {
		t.Errorf("Repository = %q", got)
	}
}

func TestNormalisingTwiceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringMatching(`([a-z]{1,4}\.[a-z]{2,3}(:[1-9][0-9]{1,3})?/)?[a-z]{1,5}(/[a-z]{1,5})?(:[a-z0-9.]{1,5})?`).Draw(t, "reference")
		once, err := image.Parse(in)
		if err != nil {
			t.Skip("not a reference")
		}
		twice, err := image.Parse(once.String())
		if err != nil || once != twice {
			t.Fatalf("%q: %+v, then %+v, %v", in, once, twice, err)
		}
	})
}

func TestMatch(t *testing.T) {
	creds := []image.Credential{
		{URL: "registry.acme.dev", Username: "all"},
		{URL: "registry.acme.dev/shop", Username: "shop"},
		{URL: "https://registry.acme.dev/shop/api/", Username: "api"},
		{URL: "docker.io/acme", Username: "hub-acme"},
		{URL: "https://index.docker.io/v1/", Username: "hub"},
		{URL: "http://127.0.0.1:5000", Username: "plain"},
		{URL: "registry.acme.dev", Username: "second"},
	}
	for _, c := range []struct{ reference, want string }{
		{"registry.acme.dev/other", "all"},
		{"registry.acme.dev/shop", "shop"},
		{"registry.acme.dev/shop/web:1", "shop"},
		{"registry.acme.dev/shop/api@" + digest, "api"},
		{"registry.acme.dev/shop/apiary", "shop"},
		{"registry.acme.dev/shopping", "all"},
		{"registry.acme.dev:5000/shop", ""},
		{"nginx", "hub"},
		{"acme/shop", "hub-acme"},
		{"index.docker.io/acme/shop", "hub-acme"},
		{"127.0.0.1:5000/x", "plain"},
		{"127.0.0.1:5001/x", ""},
		{"not a reference", ""},
	} {
		got, found := image.Match(c.reference, creds)
		if got.Username != c.want || found != (c.want != "") {
			t.Errorf("Match(%q) = %q, %v; want %q", c.reference, got.Username, found, c.want)
		}
		if plain := c.want == "plain"; got.PlainHTTP() != plain {
			t.Errorf("Match(%q).PlainHTTP() = %v", c.reference, !plain)
		}
	}
}

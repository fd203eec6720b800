package image_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

const secret = "canary-PASSWORD-81"

func quick() *image.Client {
	return image.NewClient(image.Options{Platform: "linux/amd64", RetryWait: time.Millisecond, DialTimeout: time.Second})
}

func small(t *testing.T, platform string) v1.Image {
	return testimage.FromFiles(t, testimage.Options{Platform: platform, Labels: map[string]string{"for": platform}},
		[]testimage.File{{Path: "/file", Content: platform}})
}

func TestResolve(t *testing.T) {
	for name, o := range map[string]testimage.RegistryOptions{
		"open":           {},
		"basic":          {Username: "ci", Password: secret},
		"token":          {Username: "ci", Password: secret, Token: true},
		"tls":            {TLS: true},
		"tls with basic": {TLS: true, Username: "ci", Password: secret},
		"tls with token": {TLS: true, Username: "ci", Password: secret, Token: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := testimage.Registry(t, o)
			pinned := r.Push(t, "shop/api:1", small(t, "linux/amd64"))
			for _, reference := range []string{r.URL() + "/shop/api:1", pinned} {
				got, err := quick().Resolve(t.Context(), reference, r.Credential())
				if err != nil {
					t.Fatal(err)
				}
				if got.Digest != image.Digest(pinned) || got.Reference != reference || got.Labels["for"] != "linux/amd64" || !slices.Equal(got.Platforms, []string{"linux/amd64"}) {
					t.Errorf("Resolve(%s) = %+v", reference, got)
				}
			}
		})
	}
}

func TestResolveIndex(t *testing.T) {
	r := testimage.Registry(t, testimage.RegistryOptions{})
	index := testimage.Index(t, small(t, "linux/arm64"), small(t, "linux/amd64"))
	pinned := r.Push(t, "multi:1", index)
	got, err := quick().Resolve(t.Context(), r.URL()+"/multi:1", r.Credential())
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest != image.Digest(pinned) || got.Labels["for"] != "linux/amd64" || !slices.Equal(got.Platforms, []string{"linux/arm64", "linux/amd64"}) {
		t.Errorf("got %+v", got)
	}
}

func TestResolveForeignPlatformOnly(t *testing.T) {
	r := testimage.Registry(t, testimage.RegistryOptions{})
	r.Push(t, "arm:1", testimage.Index(t, small(t, "linux/arm64/v8")))
	got, err := quick().Resolve(t.Context(), r.URL()+"/arm:1", r.Credential())
	if err != nil || len(got.Labels) != 0 || !slices.Equal(got.Platforms, []string{"linux/arm64/v8"}) {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = quick().Fetch(t.Context(), r.URL()+"/arm:1", "linux/amd64", r.Credential())
	if want := "is for linux/arm64/v8, the node is linux/amd64"; !errors.Is(err, engine.ErrUnsupported) || !strings.Contains(err.Error(), want) {
		t.Errorf("Fetch: %v, want %q", err, want)
	}
	r.Push(t, "single:1", small(t, "linux/s390x"))
	if _, err = quick().Fetch(t.Context(), r.URL()+"/single:1", "linux/amd64", r.Credential()); !errors.Is(err, engine.ErrUnsupported) {
		t.Errorf("Fetch of an image for another platform: %v", err)
	}
}

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		options   testimage.RegistryOptions
		reference string // without the registry
		cred      func(image.Credential) image.Credential
		fault     func(*testimage.RegistryServer)
		class     error
		text      string
	}{
		"no such tag":        {reference: "shop/api:2", class: engine.ErrNotFound, text: " has no image shop/api:2"},
		"no such repository": {reference: "shop/web:1", class: engine.ErrNotFound, text: " has no image shop/web:1"},
		"no such digest":     {reference: "shop/api:1@" + digest, class: engine.ErrNotFound, text: "has no image shop/api:1@sha256:"},
		"wrong password": {options: testimage.RegistryOptions{Username: "ci", Password: "other"},
			cred: withPassword, class: engine.ErrDenied, text: `access denied for user "ci"`},
		"wrong password for a token": {options: testimage.RegistryOptions{Username: "ci", Password: "other", Token: true},
			cred: withPassword, class: engine.ErrDenied, text: `access denied for user "ci"`},
		"no credentials": {options: testimage.RegistryOptions{Username: "ci", Password: secret},
			cred: func(c image.Credential) image.Credential { return image.Credential{URL: c.URL} }, class: engine.ErrDenied, text: "without credentials"},
		"forbidden, and the answer repeats the password": {cred: withPassword, fault: func(r *testimage.RegistryServer) {
			r.FailWith(http.StatusForbidden, -1, `{"errors":[{"code":"DENIED","message":"no `+secret+`"}]}`)
		}, class: engine.ErrDenied, text: "no (hidden)"},
		"rate limit": {fault: func(r *testimage.RegistryServer) { r.Fail(429, -1) }, class: engine.ErrUnavailable, text: "limits how often"},
		"rate limit with a long pause": {fault: func(r *testimage.RegistryServer) { r.Fail(429, -1, "Retry-After", "3600") },
			class: engine.ErrUnavailable, text: "limits how often"},
		"broken":     {fault: func(r *testimage.RegistryServer) { r.Fail(500, -1) }, class: engine.ErrUnavailable, text: "answered 500"},
		"down":       {fault: (*testimage.RegistryServer).Off, class: engine.ErrUnavailable, text: "cannot be reached: connection refused"},
		"unknown CA": {options: testimage.RegistryOptions{TLS: true}, cred: withoutCA, class: engine.ErrUnavailable, text: "unknown authority"},
		"plain HTTP without leave": {cred: func(image.Credential) image.Credential { return image.Credential{} },
			class: engine.ErrUnavailable, text: "does not speak TLS"},
		"bad CA": {options: testimage.RegistryOptions{TLS: true}, cred: func(c image.Credential) image.Credential { c.CACertificate = "x"; return c },
			class: engine.ErrInvalid, text: "no PEM certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := testimage.Registry(t, c.options)
			r.Push(t, "shop/api:1", small(t, "linux/amd64"))
			cred := r.Credential()
			if c.cred != nil {
				cred = c.cred(cred)
			}
			if c.fault != nil {
				c.fault(r)
			}
			if c.reference == "" {
				c.reference = "shop/api:1"
			}
			started := time.Now()
			_, err := quick().Resolve(t.Context(), r.URL()+"/"+c.reference, cred)
			if !errors.Is(err, c.class) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want %v with %q", err, c.class, c.text)
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the error tells the password: %v", err)
			}
			if took := time.Since(started); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func withPassword(c image.Credential) image.Credential {
	c.Username, c.Password = "ci", secret
	return c
}

func withoutCA(c image.Credential) image.Credential {
	c.CACertificate = ""
	return c
}

func TestRateLimitThenWell(t *testing.T) {
	r := testimage.Registry(t, testimage.RegistryOptions{})
	r.Push(t, "api:1", small(t, "linux/amd64"))
	r.Fail(429, 2, "Retry-After", "0")
	if _, err := quick().Resolve(t.Context(), r.URL()+"/api:1", r.Credential()); err != nil {
		t.Fatal(err)
	}
	if n := r.Count("GET /v2/"); n < 3 {
		t.Errorf("%d requests, it cannot have tried again", n)
	}
}

func TestBrokenAnswerIsReadAgain(t *testing.T) {
	r := testimage.Registry(t, testimage.RegistryOptions{})
	r.Push(t, "api:1", small(t, "linux/amd64"))
	r.CutBlobs(2)
	if got, err := quick().Resolve(t.Context(), r.URL()+"/api:1", r.Credential()); err != nil || got.Labels["for"] == "" {
		t.Errorf("two broken answers: %+v, %v", got, err)
	}
	r.CutBlobs(1000)
	if _, err := quick().Resolve(t.Context(), r.URL()+"/api:1", r.Credential()); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("only broken answers: %v", err)
	}
}

func TestSilentRegistryIsReported(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close() //nolint:errcheck // the end
	c := image.NewClient(image.Options{Timeout: 300 * time.Millisecond})
	_, err = c.Resolve(t.Context(), silent.Addr().String()+"/api:1", image.Credential{URL: "http://" + silent.Addr().String()})
	if !errors.Is(err, engine.ErrUnavailable) || !strings.Contains(err.Error(), "did not answer in time") {
		t.Errorf("got %v", err)
	}
}

func TestCancelIsNotTheRegistrysFault(t *testing.T) {
	r := testimage.Registry(t, testimage.RegistryOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := quick().Resolve(ctx, r.URL()+"/api:1", r.Credential())
	if !errors.Is(err, context.Canceled) || errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestCheck(t *testing.T) {
	for _, o := range []testimage.RegistryOptions{
		{Username: "ci", Password: secret},
		{Username: "ci", Password: secret, Token: true, TLS: true},
	} {
		r := testimage.Registry(t, o)
		if err := quick().Check(t.Context(), r.Credential()); err != nil {
			t.Errorf("right password: %v", err)
		}
		wrong := r.Credential()
		wrong.Password = "wrong-" + secret
		if err := quick().Check(t.Context(), wrong); !errors.Is(err, engine.ErrDenied) || strings.Contains(err.Error(), secret) {
			t.Errorf("wrong password: %v", err)
		}
		r.Off()
		if err := quick().Check(t.Context(), r.Credential()); !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("registry is down: %v", err)
		}
	}
	if err := quick().Check(t.Context(), image.Credential{URL: "http://"}); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("no host: %v", err)
	}
}

func TestOneLoginServesManyQuestions(t *testing.T) {
	r := testimage.Registry(t, testimage.RegistryOptions{Username: "ci", Password: secret, Token: true})
	r.Push(t, "api:1", small(t, "linux/amd64"))
	c := quick()
	for range 5 {
		if _, err := c.Resolve(t.Context(), r.URL()+"/api:1", r.Credential()); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.Count("GET /token"); n != 1 {
		t.Errorf("%d logins for 5 questions", n)
	}
}

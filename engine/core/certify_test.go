package core

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/ingress"
	"github.com/slipwayhq/terraform-provider-slipway/engine/rollout"
	"github.com/slipwayhq/terraform-provider-slipway/engine/secret"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

func TestComplaint(t *testing.T) {
	lines := []string{
		`{"level":"error","logger":"tls.obtain","msg":"could not get certificate from issuer","identifier":"shop.test","error":"first"}`,
		`{"level":"error","logger":"tls.obtain","msg":"could not get certificate from issuer","identifier":"shop.test","error":"second"}`,
		`{"level":"error","logger":"tls.obtain","msg":"could not get certificate from issuer","identifier":"other.test","error":"third"}`,
		`{"level":"warn","identifier":"shop.test","msg":"no error"}`, "panic: words",
	}
	if got := complaint(lines, "shop.test"); got != "second" {
		t.Errorf("got %q", got)
	}
	if got := complaint(lines, "unheard.test"); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestUncertified(t *testing.T) {
	tls := func(host, issuer, own string) engine.Route {
		return engine.Route{Host: host, TLS: &engine.RouteTLS{Issuer: issuer, CertificateSecret: own}}
	}
	there := part{Ways: []rollout.Way{{Component: "web", Routes: map[string]engine.Route{
		"acme": tls("a.test", "", ""), "own": tls("b.test", "", "C"), "plain": {Host: "c.test"},
	}}}}
	var got []string
	for _, s := range uncertified(there, "acme/test/shop", "web", map[string]engine.Route{
		"same": tls("a.test", engine.IssuerACME, ""), "other": tls("a.test", engine.IssuerInternal, ""), "mine": tls("e.test", "", "C"),
		"was-own": tls("b.test", "", ""), "was-plain": tls("c.test", "", ""), "new": tls("d.test", "", ""), "plain": {Host: "f.test"},
	}) {
		got = append(got, s.Name)
	}
	if want := "new other was-own was-plain"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOutdatedIngress tells of an ingress that another version of the engine made.
func TestOutdatedIngress(t *testing.T) {
	box, err := secret.Open(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{box: box}
	sealed, err := box.Seal([]byte("token"))
	if err != nil {
		t.Fatal(err)
	}
	n := engine.Node{Kind: engine.NodeLocal, Ingress: &engine.NodeIngress{}}
	made, err := e.effectiveIngress(n, "registry.test/caddy:2@sha256:"+strings.Repeat("a", 64), "token")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	rec := store.Ingress{Token: sealed, Serving: 1, Config: text}
	for _, other := range []bool{false, true} {
		served, err := servedIngress(rec)
		if err != nil {
			t.Fatal(err)
		}
		if other {
			front := served[ingress.Front]
			front.ConfigHash = "sha256:other"
			served[ingress.Front] = front
		}
		if outdated, err := e.outdated(n, rec, served); err != nil || outdated != other {
			t.Errorf("outdated is %v, %v", outdated, err)
		}
	}
}

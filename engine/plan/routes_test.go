package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// Routes change without touching an instance, and the plan says which and how.
func TestRouteChanges(t *testing.T) {
	own := &engine.RouteTLS{CertificateSecret: "CERT", PrivateKeySecret: "KEY"}
	secrets := catalog.MergeInput{SecretHashes: map[string]string{"CERT": "1", "KEY": "1"}}
	prior := effective(t, map[string]component{"api": {Image: "a", Routes: map[string]engine.Route{
		"gone": {Host: "old.acme.dev", Port: 1}, "moved": {Host: "a.acme.dev", Port: 1}, "own": {Host: "own.acme.dev", Port: 1, TLS: own},
		"same": {Host: "SAME.acme.dev", PathPrefix: "/x/", Port: 1}, "slow": {Host: "slow.acme.dev", Port: 1}, "tcp": {Protocol: "tcp", ListenPort: 5432, Port: 1},
	}}}, secrets)
	secrets.SecretHashes = map[string]string{"CERT": "2", "KEY": "1"}
	desired := effective(t, map[string]component{"api": {Image: "a", Routes: map[string]engine.Route{
		"moved": {Host: "b.acme.dev", PathPrefix: "/b", Port: 1}, "new": {Port: 1}, "own": {Host: "own.acme.dev", Port: 1, TLS: own},
		"same": {Host: "same.acme.dev", PathPrefix: "/x", Port: 1, Protocol: "http"},
		"slow": {Host: "slow.acme.dev", Port: 2, Timeout: "90s", TLS: &engine.RouteTLS{}}, "tcp": {Protocol: "tcp", ListenPort: 5433, Port: 1},
	}}}, secrets)
	want := []string{
		"api: keep",
		"api: remove route old.acme.dev/",
		"api: move route a.acme.dev/ to b.acme.dev/b (host, path_prefix)",
		"api: add route */",
		"api: change route own.acme.dev/ (secrets)",
		"api: change route slow.acme.dev/ (port, timeout, tls)",
		"api: move route tcp port 5432 to tcp port 5433 (listen_port)",
	}
	got := WithRepairs(Changes(prior, desired, Traits{}), nil)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !(engine.DeploymentPlan{Changes: got, Known: true}).Changed() {
		t.Error("changed routes do not count as a change")
	}
	if got := Differences(prior["api"], desired["api"]); !slices.Equal(got, []string{"routes"}) {
		t.Errorf("differences are %q", got)
	}
	if prior["api"].SameRoutes(desired["api"]) || !prior["api"].SameRoutes(prior["api"]) {
		t.Error("SameRoutes does not see the difference")
	}
	running := []Instance{{Name: "api-1-1", Component: "api", Ordinal: 1, Revision: 1, ConfigHash: prior["api"].ConfigHash, Usable: true}}
	for _, s := range Make(prior, Desired{Components: desired}, running, Traits{}).Steps {
		if s.Action != Keep {
			t.Errorf("changed routes %s an instance: %+v", s.Action, s)
		}
	}
	first := effective(t, map[string]component{"api": {Image: "a", Routes: map[string]engine.Route{"web": {Port: 1}}}}, catalog.MergeInput{})
	if got := Changes(nil, first, Traits{}); !slices.Equal(got, []string{"api: create 1 instance (image sha256:aaaaaaaaaaaa)", "api: add route */"}) {
		t.Errorf("first deployment: %q", got)
	}
	if got := Changes(first, nil, Traits{}); !slices.Equal(got, []string{"api: remove 1 instance", "api: remove route */"}) {
		t.Errorf("not wanted any more: %q", got)
	}
	if got := Changes(prior, prior, Traits{}); !slices.Equal(got, []string{"api: keep"}) {
		t.Errorf("nothing changed, but %q", got)
	}
}

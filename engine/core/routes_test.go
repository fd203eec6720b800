package core_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/fake"
)

// ingress is the scene's node with an ingress.
func (s *scene) ingress(n engine.NodeIngress) engine.Node {
	n.Image = s.registry.URL() + "/shop/api:1" // on the fake node every image does what it should
	return engine.Node{
		ID: "acme/here", TeamID: "acme", Name: "here", Kind: engine.NodeLocal, Allocation: engine.AllocationOpen,
		Local: &engine.LocalNode{Address: "127.0.0.1"}, Ingress: &n,
	}
}

func newRoutedScene(t *testing.T) *scene {
	t.Helper()
	s := newScene(t)
	s.furnish()
	_, err := s.engine.UpdateNode(t.Context(), s.ingress(engine.NodeIngress{TCPPorts: []int{5432}}))
	s.must(err)
	return s
}

// routed is a version whose api has those routes.
func (s *scene) routed(name string, routes map[string]engine.Route) engine.Version {
	s.Helper()
	v := s.wanted(name, "1", nil)
	api := v.Components["api"]
	api.Routes = routes
	v.Components["api"] = api
	made, err := s.engine.CreateVersion(s.Context(), v)
	s.must(err)
	return made
}

func web(host string) map[string]engine.Route {
	return map[string]engine.Route{"web": {Host: host, Port: 8080}}
}

// other is a deployment of the same product beside the shop.
func other(ref string) engine.Deployment {
	d := shop(ref)
	d.Prefix = "other"
	return d
}

// TestRoutesChangeInPlace: another route is a revision of its own, and touches no
// instance.
func TestRoutesChangeInPlace(t *testing.T) {
	s := newRoutedScene(t)
	d, err := s.create(s.routed("1.0.0", web("a.acme.dev")).Ref)
	s.must(err)
	want := map[string]string{"api/web": "http://a.acme.dev"}
	if !maps.Equal(d.Observed.URLs, want) {
		t.Errorf("URLs are %v, want %v", d.Observed.URLs, want)
	}
	running := s.running()
	next := s.routed("2.0.0", map[string]engine.Route{"web": {Host: "b.acme.dev", Port: 8080, Timeout: "9s"}, "any": {Port: 8080}})
	p, err := s.engine.PlanDeployment(t.Context(), shop(next.Ref), engine.PlanInput{Prior: &d})
	s.must(err)
	if changes := []string{"api: keep", "api: add route */", "api: move route a.acme.dev/ to b.acme.dev/ (host, timeout)", "db: keep"}; !slices.Equal(p.Changes, changes) || !p.Pending || !p.Changed() {
		t.Errorf("changes are %q, pending %v", p.Changes, p.Pending)
	}
	if want := map[string]string{"api/web": "http://b.acme.dev", "api/any": ""}; !maps.Equal(p.URLs, want) {
		t.Errorf("planned URLs are %v, want %v", p.URLs, want)
	}
	d, err = s.update(next.Ref)
	s.must(err)
	if now := s.running(); !slices.Equal(now, running) {
		t.Errorf("running %v, ran %v", now, running)
	}
	s.wantStatuses(engine.RevisionObsolete, engine.RevisionSuccessful)
	if want := map[string]string{"api/web": "http://b.acme.dev", "api/any": "http://127.0.0.1"}; !maps.Equal(d.Observed.URLs, want) {
		t.Errorf("URLs are %v, want %v", d.Observed.URLs, want)
	}
	p, err = s.engine.PlanDeployment(t.Context(), shop(next.Ref), engine.PlanInput{Prior: &d})
	s.must(err)
	if p.Changed() || p.Pending {
		t.Errorf("planned again: %q", p.Changes)
	}
}

// TestRoutesNeedAnIngress: a plan refuses what the node does not serve, and so
// does apply.
func TestRoutesNeedAnIngress(t *testing.T) {
	s := newScene(t)
	s.furnish()
	v := s.routed("1.0.0", web("a.acme.dev"))
	refuses := func(field, reason string) {
		t.Helper()
		_, planned := s.engine.PlanDeployment(t.Context(), shop(v.Ref), engine.PlanInput{})
		_, applied := s.create(v.Ref)
		for _, err := range []error{planned, applied} {
			wantClass(t, err, engine.ErrConflict)
			var e *engine.Error
			if !errors.As(err, &e) || e.Field != field || !strings.Contains(e.Reason, reason) {
				t.Errorf("got %v, want %s: …%s…", err, field, reason)
			}
		}
	}
	refuses("environment_id", "node acme/here has none")
	_, err := s.engine.UpdateNode(t.Context(), s.ingress(engine.NodeIngress{}))
	s.must(err)
	v = s.routed("2.0.0", map[string]engine.Route{"sql": {Protocol: engine.RouteTCP, Port: 5432, ListenPort: 5432}})
	refuses("version", "wants port 5432")
	in := engine.PlanInput{Planned: engine.Planned{Nodes: map[string]engine.Node{"acme/here": s.ingress(engine.NodeIngress{TCPPorts: []int{5432}})}}}
	if _, err := s.engine.PlanDeployment(t.Context(), shop(v.Ref), in); err != nil {
		t.Errorf("with the node of this run: %v", err)
	}
}

// TestPlacesCollide: what another deployment has, or will have after this run, is
// refused by plan and apply, which name the owner.
func TestPlacesCollide(t *testing.T) {
	s := newRoutedScene(t)
	a, b := s.routed("1.0.0", web("a.acme.dev")), s.routed("2.0.0", web("b.acme.dev"))
	collides := func(err error) {
		t.Helper()
		wantClass(t, err, engine.ErrConflict)
		for _, want := range []string{"a.acme.dev/ on node acme/here", "route web of component api of deployment " + id} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v does not tell %q", err, want)
			}
		}
	}
	planned := func(d engine.Deployment, in engine.Planned) error {
		_, err := s.engine.PlanDeployment(t.Context(), d, engine.PlanInput{Planned: in})
		return err
	}
	beside := func(ref string) engine.Planned {
		return engine.Planned{Deployments: map[string]engine.Deployment{id: shop(ref), "acme/production/other": other(a.Ref)}}
	}
	s.must(planned(shop(a.Ref), engine.Planned{}))
	collides(planned(other(a.Ref), beside(a.Ref))) // both are new
	s.must(planned(other(b.Ref), beside(a.Ref)))
	late := beside(a.Ref) // its environment and its version are of this run too
	late.Deployments[id] = engine.Deployment{EnvironmentID: "acme/staging", Version: "acme/shop/9.0.0"}
	s.must(planned(other(a.Ref), late))
	late.Environments = map[string]engine.PlannedEnvironment{"acme/staging": {Environment: engine.Environment{ID: "acme/staging", NodeID: "acme/here"}}}
	late.Versions = map[string]engine.Version{"acme/shop/9.0.0": a}
	collides(planned(other(a.Ref), late))

	_, err := s.create(a.Ref)
	s.must(err)
	collides(planned(other(a.Ref), engine.Planned{}))
	s.must(planned(other(a.Ref), engine.Planned{Leaving: map[string]bool{id: true}}))
	_, err = s.engine.CreateDeployment(t.Context(), other(a.Ref), nil)
	collides(err)
	if _, err := s.engine.Deployment(t.Context(), "acme/production/other"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("what was refused is there: %v", err)
	}
	s.must(planned(other(a.Ref), beside(b.Ref))) // it is free after this run
}

// TestPlacesFollowWhatServes: a deployment has the places of what serves, whatever
// became of its rollouts.
func TestPlacesFollowWhatServes(t *testing.T) {
	s := newRoutedScene(t)
	a, b := s.routed("1.0.0", web("a.acme.dev")), s.routed("2.0.0", web("b.acme.dev"))
	_, err := s.create(a.Ref)
	s.must(err)
	failing := s.wanted("3.0.0", "1", map[string]string{fake.BehaviourVariable: fake.Exits})
	api := failing.Components["api"]
	api.Routes = web("c.acme.dev")
	failing.Components["api"] = api
	bad, err := s.engine.CreateVersion(t.Context(), failing)
	s.must(err)
	takes := func(ref string) error {
		_, err := s.engine.PlanDeployment(t.Context(), other(ref), engine.PlanInput{})
		return err
	}
	_, err = s.update(bad.Ref)
	var failed *engine.RolloutError
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want a failed rollout", err)
	}
	wantClass(t, takes(a.Ref), engine.ErrConflict)
	if err := takes(bad.Ref); err != nil {
		t.Errorf("a failed rollout keeps its place: %v", err)
	}
	_, err = s.update(b.Ref)
	s.must(err)
	wantClass(t, takes(b.Ref), engine.ErrConflict)
	if err := takes(a.Ref); err != nil {
		t.Errorf("what serves no more keeps its place: %v", err)
	}
	s.must(s.engine.DeleteDeployment(t.Context(), id))
	if err := takes(b.Ref); err != nil {
		t.Errorf("what is gone keeps its place: %v", err)
	}
}

// TestIngressInUse: what routes use of a node's ingress cannot be taken away.
func TestIngressInUse(t *testing.T) {
	s := newRoutedScene(t)
	_, err := s.create(s.routed("1.0.0", map[string]engine.Route{"sql": {Protocol: engine.RouteTCP, Port: 5432, ListenPort: 5432}}).Ref)
	s.must(err)
	none := s.ingress(engine.NodeIngress{})
	none.Ingress = nil
	for field, n := range map[string]engine.Node{"ingress": none, "ingress.tcp_ports": s.ingress(engine.NodeIngress{TCPPorts: []int{6379}})} {
		_, applied := s.engine.UpdateNode(t.Context(), n)
		for _, err := range []error{s.engine.PlanNode(t.Context(), n), applied} {
			wantClass(t, err, engine.ErrConflict)
			var e *engine.Error
			if !errors.As(err, &e) || e.Field != field || !strings.Contains(e.Reason, id) {
				t.Errorf("%s: got %v", field, err)
			}
		}
	}
	_, err = s.engine.UpdateNode(t.Context(), s.ingress(engine.NodeIngress{HTTPPort: 8080, TCPPorts: []int{5432}}))
	s.must(err)
}

// TestRouteSecrets: a route's secret that nobody has is refused with its place.
func TestRouteSecrets(t *testing.T) {
	s := newRoutedScene(t)
	v := s.routed("1.0.0", map[string]engine.Route{"web": {Host: "a.acme.dev", Port: 8080, TLS: &engine.RouteTLS{CertificateSecret: "CERT", PrivateKeySecret: "KEY"}}})
	_, planned := s.engine.PlanDeployment(t.Context(), shop(v.Ref), engine.PlanInput{})
	_, applied := s.create(v.Ref)
	for _, err := range []error{planned, applied} {
		wantClass(t, err, engine.ErrInvalid)
		if !strings.Contains(err.Error(), "components.api.routes.web.tls.certificate_secret") {
			t.Errorf("got %v", err)
		}
	}
	if _, err := s.engine.PlanDeployment(t.Context(), shop(v.Ref), engine.PlanInput{SecretsChanged: true}); err != nil {
		t.Errorf("with secrets that come with this run: %v", err)
	}
}

func TestIdleCanaryIsTold(t *testing.T) {
	s := newRoutedScene(t)
	d := shop(s.version("1.0.0", "1", nil).Ref)
	d.Strategy.Type = engine.StrategyCanary
	p, err := s.engine.PlanDeployment(t.Context(), d, engine.PlanInput{})
	s.must(err)
	if !strings.Contains(p.Idle, "canary") {
		t.Errorf("got %q", p.Idle)
	}
}

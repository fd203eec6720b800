package core_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// racers are the engines that want one prefix on one node at once.
const racers = 50

// TestRaceForOnePrefix has 50 engines on one data directory create deployments
// of several products in 50 environments, all with one prefix on one node.
func TestRaceForOnePrefix(t *testing.T) {
	s := newScene(t)
	s.furnish()
	all := s.racing(5)
	errs := make([]error, racers)
	var wait sync.WaitGroup
	for i, d := range all {
		other := &scene{T: t, dir: s.dir, node: s.node, registry: s.registry}
		other.open()
		wait.Go(func() { _, errs[i] = other.engine.CreateDeployment(t.Context(), d, nil) })
	}
	wait.Wait()

	owner := slices.IndexFunc(errs, func(err error) bool { return err == nil })
	if owner < 0 {
		t.Fatalf("nobody has the prefix: %v", errs[0])
	}
	ownerID := engine.JoinID(all[owner].EnvironmentID, "shop")
	for i, err := range errs {
		if i == owner {
			continue
		}
		if !errors.Is(err, engine.ErrConflict) || !strings.Contains(err.Error(), ownerID) {
			t.Errorf("%s: %v, which does not tell that %s has the prefix", all[i].EnvironmentID, err, ownerID)
		}
		_, err := s.engine.PlanDeployment(t.Context(), all[i], engine.PlanInput{})
		if !errors.Is(err, engine.ErrConflict) || !strings.Contains(err.Error(), ownerID) {
			t.Errorf("%s: the next plan says %v", all[i].EnvironmentID, err)
		}
	}
	there, err := s.engine.Deployments(t.Context(), engine.DeploymentFilter{})
	s.must(err)
	if len(there) != 1 || there[0].ID != ownerID || there[0].Observed.Health != engine.HealthHealthy {
		t.Errorf("the store has %d deployments, the first is %+v", len(there), there[0])
	}
	for _, i := range s.node.All() {
		if i.Key.Deployment != ownerID {
			t.Errorf("%s of %s is on the node", i.Key.Name, i.Key.Deployment)
		}
	}
	if n := len(s.node.Running(ownerID)); n != 1 {
		t.Errorf("%d instances of the owner run", n)
	}
}

// racing makes products with a version each, and as many environments as racers;
// it answers what each of these wants.
func (s *scene) racing(products int) []engine.Deployment {
	s.Helper()
	ctx := s.Context()
	var refs []string
	for n := range products {
		name := fmt.Sprintf("racing-%d", n)
		_, err := s.engine.CreateProduct(ctx, engine.Product{TeamID: "acme", Name: name, Type: engine.ProductComplex})
		s.must(err)
		v, err := s.engine.CreateVersion(ctx, engine.Version{
			ProductID: "acme/" + name, Name: "1.0.0", Type: engine.VersionIncremental, Status: engine.VersionActive,
			Components: map[string]engine.Component{name: {
				Image: s.registry.URL() + "/shop/api:1", HealthChecks: map[string]engine.HealthCheck{"up": {HTTP: &engine.HTTPCheck{Port: 8080}}},
			}},
		})
		s.must(err)
		refs = append(refs, v.Ref)
	}
	var all []engine.Deployment
	for n := range racers {
		e, err := s.engine.CreateEnvironment(ctx, engine.Environment{
			TeamID: "acme", Name: fmt.Sprintf("racer-%d", n), NodeID: "acme/here", Type: engine.EnvironmentPreview,
		}, nil)
		s.must(err)
		all = append(all, engine.Deployment{EnvironmentID: e.ID, Prefix: "shop", Version: refs[n%products], Strategy: quick})
	}
	return all
}

package core_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/fake"
)

func TestDeploymentServesWhatItsVersionSays(t *testing.T) {
	s := newScene(t)
	s.furnish()
	v := s.version("1.0.0", "1", map[string]string{"TIER": "plain", "MODE": "fast"})
	d, err := s.create(v.Ref)
	s.must(err)
	s.wantRunning("api-1-1", "db-1-1")
	if d.ID != id || d.Observed.ServingVersion != v.Ref || d.Observed.Status != engine.RevisionSuccessful {
		t.Errorf("deployment is %+v", d)
	}
	if d.Observed.Health != engine.HealthHealthy || len(d.Observed.Drift) > 0 {
		t.Errorf("health %s, drift %v", d.Observed.Health, d.Observed.Drift)
	}
	if got := s.node.Secrets(node.Key{Deployment: id, Name: "api-1-1"}); got.Env["TOKEN"] != "canary-environment-secret" {
		t.Errorf("api got the secrets %v", got.Env)
	}
	if got := s.node.Secrets(node.Key{Deployment: id, Name: "db-1-1"}); len(got.Env) > 0 {
		t.Errorf("db, which takes none, got secrets")
	}
	if stored, err := s.engine.Version(t.Context(), v.ID); err != nil || !stored.Sealed {
		t.Errorf("version sealed is %v (%v)", stored.Sealed, err)
	}
}

func TestUpdateWithoutChangeDoesNothing(t *testing.T) {
	s := newScene(t)
	s.furnish()
	v := s.version("1.0.0", "1", nil)
	_, err := s.create(v.Ref)
	s.must(err)
	_, err = s.update(v.Ref)
	s.must(err)
	s.wantStatuses(engine.RevisionSuccessful)
	s.wantRunning("api-1-1", "db-1-1")
}

func TestUpgradeRollbackAndForward(t *testing.T) {
	s := newScene(t)
	s.furnish()
	one := s.version("1.0.0", "1", nil)
	_, err := s.create(one.Ref)
	s.must(err)
	two := s.version("2.0.0", "2", nil)
	_, err = s.update(two.Ref)
	s.must(err)
	s.wantStatuses(engine.RevisionObsolete, engine.RevisionSuccessful)
	_, err = s.update(one.Ref)
	s.must(err)
	s.wantStatuses(engine.RevisionObsolete, engine.RevisionDowngraded, engine.RevisionSuccessful)
	d, err := s.update(two.Ref)
	s.must(err)
	s.wantStatuses(engine.RevisionObsolete, engine.RevisionObsolete, engine.RevisionObsolete, engine.RevisionSuccessful)
	if d.Observed.PreviousVersion != one.Ref {
		t.Errorf("previous version is %q", d.Observed.PreviousVersion)
	}
	s.wantRunning("api-4-1", "db-1-1")
}

func TestFailedUpdateTellsTheTruth(t *testing.T) {
	s := newScene(t)
	s.furnish()
	one := s.version("1.0.0", "1", nil)
	_, err := s.create(one.Ref)
	s.must(err)
	bad := s.version("2.0.0", "2", map[string]string{fake.BehaviourVariable: fake.Exits})
	d, err := s.update(bad.Ref)
	var failure *engine.RolloutError
	if !errors.As(err, &failure) || failure.OperationID == "" {
		t.Fatalf("error is %v", err)
	}
	if d.Version != one.Ref || d.Observed.ServingVersion != one.Ref || d.Observed.Status != engine.RevisionFailed {
		t.Errorf("after the failure: %s serves %s, status %s", d.Version, d.Observed.ServingVersion, d.Observed.Status)
	}
	s.wantStatuses(engine.RevisionSuccessful, engine.RevisionFailed)
	s.wantRunning("api-1-1", "db-1-1")
	if v, err := s.engine.Version(t.Context(), bad.ID); err != nil || v.Sealed {
		t.Errorf("the failed version is sealed: %v (%v)", v.Sealed, err)
	}

	fixed := s.wanted("2.0.0", "2", nil)
	fixed.ID = bad.ID
	good, err := s.engine.UpdateVersion(t.Context(), fixed)
	s.must(err)
	_, err = s.update(good.Ref)
	s.must(err)
	s.wantStatuses(engine.RevisionObsolete, engine.RevisionFailed, engine.RevisionSuccessful)
}

func TestFailedFirstDeploymentDoesNotExist(t *testing.T) {
	s := newScene(t)
	s.deadline = "2s"
	s.furnish()
	bad := s.version("1.0.0", "1", map[string]string{fake.BehaviourVariable: fake.Sick})
	if _, err := s.create(bad.Ref); err == nil {
		t.Fatal("it succeeded")
	}
	_, err := s.engine.Deployment(t.Context(), id)
	wantClass(t, err, engine.ErrNotFound)
	s.wantRunning()
	s.must(s.engine.DeleteEnvironment(t.Context(), "acme/production"))
}

func TestCreateOfAConfirmedDeploymentIsRefused(t *testing.T) {
	s := newScene(t)
	s.furnish()
	v := s.version("1.0.0", "1", nil)
	_, err := s.create(v.Ref)
	s.must(err)
	_, err = s.create(v.Ref) // Terraform was killed before it wrote its state
	s.must(err)
	s.wantRunning("api-1-1", "db-1-1")
	s.must(s.engine.Confirm(t.Context(), engine.KindDeployment, id))
	_, err = s.create(v.Ref)
	wantClass(t, err, engine.ErrExists)
}

func TestPrefixBelongsToOneDeployment(t *testing.T) {
	s := newScene(t)
	s.furnish()
	v := s.version("1.0.0", "1", nil)
	_, err := s.create(v.Ref)
	s.must(err)
	_, err = s.engine.CreateEnvironment(t.Context(), engine.Environment{
		TeamID: "acme", Name: "staging", NodeID: "acme/here", Type: engine.EnvironmentStaging,
	}, map[string]string{"TOKEN": "x"})
	s.must(err)
	other := shop(v.Ref)
	other.EnvironmentID = "acme/staging"
	_, err = s.engine.CreateDeployment(t.Context(), other, nil)
	wantClass(t, err, engine.ErrConflict)
	_, planned := s.engine.PlanDeployment(t.Context(), other, engine.PlanInput{})
	wantClass(t, planned, engine.ErrConflict)
	if !strings.Contains(planned.Error(), id) || !strings.Contains(err.Error(), id) {
		t.Errorf("neither %q nor %q may hide the owner", planned, err)
	}
}

func TestDriftIsNamedAndRepairedAlone(t *testing.T) {
	api := node.Key{Deployment: id, Name: "api-1-1"}
	cases := map[string]struct {
		change func(*fake.Node)
		drift  string
		runs   string
	}{
		"removed": {func(n *fake.Node) { n.Lose(api) }, "api: instance is gone", "api-2-1"},
		"stopped": {
			func(n *fake.Node) {
				n.Alter(api, func(i *node.Instance) { i.State, i.ExitCode = node.Exited, 137 })
			}, "api: instance api-1-1 is stopped (exit code 137)", "api-1-1",
		},
		"supervisor gone": {
			func(n *fake.Node) { n.Alter(api, func(i *node.Instance) { i.State = node.Lost }) },
			"api: instance api-1-1 is gone", "api-1-1",
		},
		"port closed": {
			func(n *fake.Node) { n.Alter(api, func(i *node.Instance) { i.Unpublished = []string{"http"} }) },
			"api: instance api-1-1 cannot be reached on its published port http", "api-1-1",
		},
		"image changed": {
			func(n *fake.Node) { n.Alter(api, func(i *node.Instance) { i.Altered = []string{"image is evil:1"} }) },
			"api: instance api-1-1 image is evil:1", "api-2-1",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.furnish()
			v := s.version("1.0.0", "1", nil)
			_, err := s.create(v.Ref)
			s.must(err)
			c.change(s.node)
			s.engine.BeginRun("next")
			d, err := s.engine.Deployment(t.Context(), id)
			s.must(err)
			if len(d.Observed.Drift) != 1 || !strings.HasPrefix(d.Observed.Drift[0], c.drift) {
				t.Fatalf("drift is %q", d.Observed.Drift)
			}
			s.node.Calls()
			d, err = s.update(v.Ref)
			s.must(err)
			if len(d.Observed.Drift) > 0 {
				t.Errorf("still drifts: %q", d.Observed.Drift)
			}
			s.wantRunning(c.runs, "db-1-1")
			calls := s.node.Calls()
			for _, call := range calls {
				if strings.Contains(call, "db-1-1") {
					t.Errorf("db was touched: %s", call)
				}
			}
			if !slices.Contains(calls, "route "+id) {
				t.Errorf("traffic was not led back: %q", calls)
			}
		})
	}
}

func TestRefreshListsTheNodeOnce(t *testing.T) {
	s := newScene(t)
	s.furnish()
	v := s.version("1.0.0", "1", nil)
	for _, prefix := range []string{"one", "two", "three"} {
		d := shop(v.Ref)
		d.Prefix = prefix
		_, err := s.engine.CreateDeployment(t.Context(), d, nil)
		s.must(err)
	}
	s.engine.BeginRun("refresh")
	s.node.Calls()
	all, err := s.engine.Deployments(t.Context(), engine.DeploymentFilter{})
	s.must(err)
	if len(all) != 3 {
		t.Fatalf("%d deployments", len(all))
	}
	if calls := s.node.Calls(); len(calls) != 1 {
		t.Errorf("the node was asked %d times: %v", len(calls), calls)
	}
}

// planning is a run that changes an environment.
func planning(e engine.Environment, secrets bool) engine.Planned {
	return engine.Planned{Environments: map[string]engine.PlannedEnvironment{e.ID: {Environment: e, SecretsChanged: secrets}}}
}

func TestVariablesOfTheEnvironmentReachItsDeployments(t *testing.T) {
	s := newScene(t)
	s.furnish()
	v := s.version("1.0.0", "1", nil)
	_, err := s.create(v.Ref)
	s.must(err)
	env, err := s.engine.Environment(t.Context(), "acme/production")
	s.must(err)
	env.Variables = engine.SetVariables(map[string]string{"TIER": "silver"})
	d := shop(v.Ref)
	d.Prefix = "shop"
	planned, err := s.engine.PlanDeployment(t.Context(), d, engine.PlanInput{Prior: &d, Planned: planning(env, false)})
	s.must(err)
	if !planned.Pending || !strings.Contains(strings.Join(planned.Changes, "\n"), "env") {
		t.Errorf("plan before the environment is stored: %+v", planned)
	}
	_, err = s.engine.UpdateEnvironment(t.Context(), env, nil)
	s.must(err)
	again, err := s.engine.PlanDeployment(t.Context(), d, engine.PlanInput{Prior: &d})
	s.must(err)
	if strings.Join(again.Changes, "\n") != strings.Join(planned.Changes, "\n") {
		t.Errorf("the final plan says %q, the first said %q", again.Changes, planned.Changes)
	}
	_, err = s.update(v.Ref)
	s.must(err)
	s.wantRunning("api-2-1", "db-2-1")
}

func TestNewSecretsAreAChangeWhateverTheirValue(t *testing.T) {
	s := newScene(t)
	s.furnish()
	v := s.version("1.0.0", "1", nil)
	_, err := s.create(v.Ref)
	s.must(err)
	env, err := s.engine.Environment(t.Context(), "acme/production")
	s.must(err)
	d := shop(v.Ref)
	d.Prefix = "shop"
	planned, err := s.engine.PlanDeployment(t.Context(), d, engine.PlanInput{Prior: &d, Planned: planning(env, true)})
	s.must(err)
	_, err = s.engine.UpdateEnvironment(t.Context(), env, map[string]string{"TOKEN": "canary-environment-secret"})
	s.must(err)
	final, err := s.engine.PlanDeployment(t.Context(), d, engine.PlanInput{Prior: &d})
	s.must(err)
	if !planned.Pending || strings.Join(final.Changes, "\n") != strings.Join(planned.Changes, "\n") {
		t.Errorf("planned %q, final %q", planned.Changes, final.Changes)
	}
}

func TestSecretsAreNowhereInClear(t *testing.T) {
	s := newScene(t)
	s.furnish()
	v := s.version("1.0.0", "1", map[string]string{fake.BehaviourVariable: fake.Exits})
	_, err := s.create(v.Ref)
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("error is %v", err)
	}
	s.must(s.engine.Close())
	s.engine = nil
	err = filepath.WalkDir(s.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), "canary") {
			t.Errorf("%s holds a secret in clear", path)
		}
		return err
	})
	s.must(err)
}

func TestDeleteLeavesRetainedVolumesOnly(t *testing.T) {
	s := newScene(t)
	s.furnish()
	v := s.version("1.0.0", "1", nil)
	d := shop(v.Ref)
	d.DeletionProtection = true
	_, err := s.engine.CreateDeployment(t.Context(), d, nil)
	s.must(err)
	wantClass(t, s.engine.DeleteDeployment(t.Context(), id), engine.ErrConflict)
	_, err = s.update(v.Ref)
	s.must(err)
	s.must(s.engine.DeleteDeployment(t.Context(), id))
	s.wantRunning()
	wantClass(t, s.engine.DeleteDeployment(t.Context(), id), engine.ErrNotFound)
}

func TestRecreateStopsFirstAndThePlanSaysSo(t *testing.T) {
	s := newScene(t)
	s.furnish()
	_, err := s.create(s.version("1.0.0", "1", nil).Ref)
	s.must(err)
	d := s.bounded(shop(s.version("2.0.0", "2", nil).Ref))
	d.Strategy.Type = engine.StrategyRecreate
	planned, err := s.engine.PlanDeployment(t.Context(), d, engine.PlanInput{Prior: &engine.Deployment{ID: id}})
	s.must(err)
	s.node.Calls()
	now, err := s.engine.UpdateDeployment(t.Context(), d, nil)
	s.must(err)
	if !slices.Equal(planned.Changes, now.Observed.Changes) {
		t.Errorf("planned %q, did %q", planned.Changes, now.Observed.Changes)
	}
	if text := strings.Join(planned.Gaps, " "); !strings.Contains(text, "strategy recreate") {
		t.Errorf("the plan says of gaps: %q", text)
	}
	calls := s.node.Calls()
	stopped, created := slices.Index(calls, "stop api-1-1"), slices.Index(calls, "create api-2-1")
	if stopped < 0 || created < stopped {
		t.Errorf("api was not stopped before its successor was made: %q", calls)
	}
}

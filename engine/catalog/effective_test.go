package catalog

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

const pinned = "registry.acme.dev/a:1@sha256:aa"

// input is a valid one around a single component "api".
func input(c engine.Component) MergeInput {
	in := MergeInput{Components: one(c), Images: map[string]string{"api": pinned}, SecretHashes: map[string]string{}}
	for _, name := range SecretsOf(c) {
		in.SecretHashes[name] = "hash of " + name
	}
	return in
}

func merge(t interface{ Fatal(...any) }, in MergeInput) Effective {
	all, err := Merge(in)
	if err != nil {
		t.Fatal(err)
	}
	return all["api"]
}

func TestMergeEnvironment(t *testing.T) {
	in := input(engine.Component{Image: "a", Env: map[string]string{"A": "component", "B": "component", "C": "component", "D": "component", "E": "component"}})
	in.EnvironmentVariables = engine.SetVariables(map[string]string{"B": "environment", "C": "environment", "D": "environment", "E": "environment"})
	in.DeploymentVariables = engine.SetVariables(map[string]string{"C": "deployment", "D": "deployment", "E": ""})
	in.Overrides = map[string]engine.ComponentOverride{"api": {Env: engine.SetVariables(map[string]string{"D": "override"})}}
	want := map[string]string{"A": "component", "B": "environment", "C": "deployment", "D": "override", "E": ""}
	e := merge(t, in)
	if !maps.Equal(e.Env, want) || !maps.Equal(e.Component.Env, want) {
		t.Errorf("env is %v, want %v", e.Env, want)
	}
	if in.Components["api"].Env["B"] != "component" {
		t.Error("the input changed")
	}
}

// A variable that is null takes away what weaker layers set; a stronger layer
// may set it again, and without the null all is as it was.
func TestMergeTakesAway(t *testing.T) {
	in := input(engine.Component{Image: "a", Env: map[string]string{"A": "component", "B": "component", "C": "component"}})
	before := merge(t, in)
	in.EnvironmentVariables = engine.Variables{"A": nil, "B": nil, "NEVER": nil}
	in.DeploymentVariables = engine.SetVariables(map[string]string{"B": ""})
	in.Overrides = map[string]engine.ComponentOverride{"api": {Env: engine.Variables{"C": nil}}}
	e := merge(t, in)
	if want := map[string]string{"B": ""}; !maps.Equal(e.Env, want) || e.ConfigHash == before.ConfigHash {
		t.Errorf("env is %v, want %v", e.Env, want)
	}
	in.EnvironmentVariables, in.DeploymentVariables, in.Overrides = nil, nil, nil
	if after := merge(t, in); after.ConfigHash != before.ConfigHash {
		t.Errorf("env is %v afterwards", after.Env)
	}
}

func TestMergeOverrides(t *testing.T) {
	c := engine.Component{Image: "a", Replicas: ptr(2), Resources: &engine.Resources{CPU: ptr(1.0), Memory: "1Gi"}}
	in := input(c)
	in.Overrides = map[string]engine.ComponentOverride{"api": {Replicas: ptr(5), Resources: &engine.Resources{Memory: "2Gi", Pids: ptr(9)}}}
	e := merge(t, in)
	if r := e.Component.Resources; e.Replicas != 5 || *e.Component.Replicas != 5 || *r.CPU != 1.0 || r.Memory != "2Gi" || *r.Pids != 9 {
		t.Errorf("%d replicas, resources %+v", e.Replicas, *r)
	}
	if *c.Replicas != 2 || c.Resources.Memory != "1Gi" {
		t.Error("the input changed")
	}
	in.DesiredState = engine.StateStopped
	if stopped := merge(t, in); stopped.Replicas != 0 || stopped.ConfigHash != e.ConfigHash {
		t.Errorf("stopped: %d replicas, hash %s, was %s", stopped.Replicas, stopped.ConfigHash, e.ConfigHash)
	}
}

func TestMergeRefuses(t *testing.T) {
	c := engine.Component{Image: "a", Secrets: []string{"KEY"}, SecretFiles: map[string]string{"/c": "CERT"}}
	in := input(c)
	if got := merge(t, in).SecretNames; !slices.Equal(got, []string{"KEY"}) {
		t.Errorf("secrets given as env are %q", got)
	}
	in.SecretHashes = map[string]string{"KEY": "x"}
	_, err := Merge(in)
	wantComplaint(t, err, engine.ErrInvalid, "components.api.secrets", `secret "CERT"`)
	in = input(c)
	in.Images = map[string]string{"api": "a:1"}
	_, err = Merge(in)
	wantComplaint(t, err, engine.ErrInvalid, "components.api.image", "not pinned")
}

func TestConfigHash(t *testing.T) {
	base := merge(t, input(full()))
	for _, m := range mutants("", reflect.ValueOf(full())) {
		got := merge(t, input(m.value.Interface().(engine.Component)))
		field := strings.FieldsFunc(m.path, func(r rune) bool { return r == '.' || r == ' ' })[0]
		free := slices.Contains([]string{"Image", "Replicas", "DependsOn", "Routes"}, field) || strings.HasPrefix(m.path, ".Volumes.data.Snapshot") || strings.HasPrefix(m.path, ".Volumes.data.PreSnapshot")
		if changed := got.ConfigHash != base.ConfigHash; changed == free {
			t.Errorf("%s: the hash changed: %v", m.path, changed)
		}
	}
	for name, test := range map[string]struct {
		change  func(in *MergeInput)
		changes bool
	}{
		"digest":               {func(in *MergeInput) { in.Images["api"] = "registry.acme.dev/a:1@sha256:bb" }, true},
		"tag":                  {func(in *MergeInput) { in.Images["api"] = "registry.acme.dev/b:2@sha256:aa" }, false},
		"environment variable": {func(in *MergeInput) { in.EnvironmentVariables = engine.SetVariables(map[string]string{"X": ""}) }, true},
		"deployment variable":  {func(in *MergeInput) { in.DeploymentVariables = engine.SetVariables(map[string]string{"X": ""}) }, true},
		"hidden variable": {func(in *MergeInput) {
			in.EnvironmentVariables = engine.SetVariables(map[string]string{"DATABASE_HOST": "db"})
		}, false},
		"route's secret":    {func(in *MergeInput) { in.SecretHashes["CERT"] = "other" }, false},
		"secret":            {func(in *MergeInput) { in.SecretHashes["API_KEY"] = "other" }, true},
		"secret file":       {func(in *MergeInput) { in.SecretHashes["TLS_KEY"] = "other" }, true},
		"stranger's secret": {func(in *MergeInput) { in.SecretHashes["OTHER"] = "x" }, false},
		"restart trigger":   {func(in *MergeInput) { in.RestartTrigger = "again" }, true},
		"stopped":           {func(in *MergeInput) { in.DesiredState = engine.StateStopped }, false},
		"replicas":          {func(in *MergeInput) { in.Overrides = map[string]engine.ComponentOverride{"api": {Replicas: ptr(9)}} }, false},
		"memory": {func(in *MergeInput) {
			in.Overrides = map[string]engine.ComponentOverride{"api": {Resources: &engine.Resources{Memory: "9Gi"}}}
		}, true},
	} {
		in := input(full())
		test.change(&in)
		if changed := merge(t, in).ConfigHash != base.ConfigHash; changed != test.changes {
			t.Errorf("%s: the hash changed: %v, want %v", name, changed, test.changes)
		}
	}
}

func TestConfigHashIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := components.Draw(t, "c")
		first, again := merge(t, input(c)), merge(t, input(Normalize(c)))
		if first.ConfigHash != again.ConfigHash {
			t.Fatalf("hash %s, of the canonical component %s", first.ConfigHash, again.ConfigHash)
		}
	})
}

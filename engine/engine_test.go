package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

func TestErrorsKeepTheirClassAndField(t *testing.T) {
	cause := errors.New("connection refused")
	err := fmt.Errorf("deploying: %w", &engine.Error{Class: engine.ErrUnavailable, Reason: "the node did not answer", Err: cause})
	if !errors.Is(err, engine.ErrUnavailable) || !errors.Is(err, cause) || errors.Is(err, engine.ErrNotFound) {
		t.Errorf("%v lost its class or cause", err)
	}
	if all := engine.All(err); len(all) != 1 || !strings.Contains(all[0].Reason, "deploying") || !errors.Is(all[0], engine.ErrUnavailable) {
		t.Errorf("All is %+v", all)
	}
}

func TestAtMovesEveryJoinedField(t *testing.T) {
	err := engine.At("components.api", errors.Join(
		engine.Invalid("replicas", "too many"), nil, engine.Invalid("", "no image"),
	))
	var fields []string
	for _, e := range engine.All(err) {
		fields = append(fields, e.Field)
	}
	if got := strings.Join(fields, " "); got != "components.api.replicas components.api" {
		t.Errorf("fields are %q", got)
	}
	if engine.At("x", nil) != nil {
		t.Error("no error became one")
	}
	plain := errors.New("plain")
	if got := engine.At("x", plain); !errors.Is(got, plain) || got.Error() != "plain" {
		t.Error("a plain error did not stay as it is")
	}
}

func TestRolloutErrorTellsEverythingKnown(t *testing.T) {
	code := 3
	e := &engine.RolloutError{
		DeploymentID: "acme/production/shop", Component: "api", Phase: engine.PhaseStart, Message: "it ended",
		ExitCode: &code, OOMKilled: true, LogLines: []string{"one", "two"}, Restored: "version 1.0.0 serves", OperationID: "op_1",
	}
	for _, part := range []string{"acme/production/shop", "api", "start", "it ended", "3", "out of memory", "| one\n", "| two", "1.0.0 serves", "op_1"} {
		if !strings.Contains(e.Detail(), part) {
			t.Errorf("the detail lacks %q:\n%s", part, e.Detail())
		}
	}
	if (&engine.RolloutError{Message: "x"}).Detail() == "" || strings.Contains((&engine.RolloutError{}).Detail(), "Exit code") {
		t.Error("what is not known is told")
	}
}

func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "shop": true, "my-shop-2": true, "1": true, strings.Repeat("x", 40): true,
		"": false, "-a": false, "a-": false, "Shop": false, "a_b": false, "a.b": false, "ä": false, strings.Repeat("x", 41): false,
	} {
		if err := engine.CheckName("name", name); (err == nil) != ok {
			t.Errorf("CheckName(%q) is %v", name, err)
		}
	}
	if engine.CheckInstanceName("prefix", strings.Repeat("p", 40), strings.Repeat("c", 22)) != nil {
		t.Error("63 characters are refused")
	}
	if engine.CheckInstanceName("prefix", strings.Repeat("p", 40), strings.Repeat("c", 23)) == nil {
		t.Error("64 characters are taken")
	}
}

func TestIDs(t *testing.T) {
	id := engine.JoinID("acme", "production", "shop")
	if engine.ParentID(id) != "acme/production" || engine.BaseName(id) != "shop" || engine.ParentID("acme") != "" {
		t.Errorf("%s was cut wrongly", id)
	}
	for bad, kind := range map[string]string{"acme": "node", "acme/": "node", "a/b/c": "node", "//": "deployment", "": "team"} {
		n := map[string]int{"node": 2, "deployment": 3, "team": 1}[kind]
		if _, err := engine.SplitID(kind, bad, n); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("SplitID(%s, %q) is %v", kind, bad, err)
		}
	}
	id, digest, err := engine.SplitRef("acme/shop/1.4.0@sha256:ab")
	if id != "acme/shop/1.4.0" || digest != "sha256:ab" || err != nil {
		t.Errorf("SplitRef answers %q %q %v", id, digest, err)
	}
	if _, _, err := engine.SplitRef("1.4.0"); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("a bare name is a reference: %v", err)
	}
}

func TestParsing(t *testing.T) {
	durations := map[string]time.Duration{"": 7 * time.Second, "0s": 0, "90s": 90 * time.Second, "1m30s": 90 * time.Second}
	for s, want := range durations {
		if got, err := engine.ParseDuration("x", s, 7*time.Second); got != want || err != nil {
			t.Errorf("duration %q is %v, %v", s, got, err)
		}
	}
	sizes := map[string]int64{"": 5, "1": 1, "64Mi": 64 << 20, "2Gi": 2 << 30, "1k": 1000, "0.5Gi": 512 << 20, "1Ei": 1 << 60}
	for s, want := range sizes {
		if got, err := engine.ParseSize("x", s, 5); got != want || err != nil {
			t.Errorf("size %q is %v, %v", s, got, err)
		}
	}
	modes := map[string]uint32{"": 0o644, "0644": 0o644, "755": 0o755, "4755": 0o4755}
	for s, want := range modes {
		if got, err := engine.ParseMode("x", s, 0o644); got != want || err != nil {
			t.Errorf("mode %q is %o, %v", s, got, err)
		}
	}
	for _, bad := range []string{"5", "-1s", "soon", "10 s"} {
		if _, err := engine.ParseDuration("x", bad, 0); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("duration %q is taken: %v", bad, err)
		}
	}
	for _, bad := range []string{"0", "-1", "lots", "1MB", "2Ei", "99999999999Ti"} {
		if _, err := engine.ParseSize("x", bad, 0); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("size %q is taken: %v", bad, err)
		}
	}
	for _, bad := range []string{"9", "rw", "77777"} {
		if _, err := engine.ParseMode("x", bad, 0); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("mode %q is taken: %v", bad, err)
		}
	}
}

package core_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// quieting makes version 4.0.0, which has that command run before its snapshot.
func (s *scene) quieting(timeout string, command ...string) {
	s.Helper()
	v := s.keeping("4.0.0", map[string]string{"V": "4"}, &engine.PreSnapshot{Command: command, Timeout: timeout})
	_, err := s.engine.CreateVersion(s.Context(), v)
	if errors.Is(err, engine.ErrExists) || errors.Is(err, engine.ErrConflict) {
		v.ID = "acme/shop/4.0.0"
		_, err = s.engine.UpdateVersion(s.Context(), v)
	}
	s.must(err)
}

// done are the calls of the node since it was asked last that begin with one of the words.
func (s *scene) done(words ...string) (all []string) {
	for _, call := range s.node.Calls() {
		if slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(call, w+" ") }) {
			all = append(all, call)
		}
	}
	return all
}

// A volume is quieted by the version that is rolled out, before anything stops, and not
// on the way back.
func TestQuietBeforeTheSnapshot(t *testing.T) {
	s := databaseScene(t)
	_, err := s.create("acme/shop/1.0.0")
	s.must(err)
	s.quieting("", "flush", "all")
	d := shop("acme/shop/1.0.0")
	to := d
	to.Version = "acme/shop/4.0.0"
	p, err := s.engine.PlanDeployment(s.Context(), to, engine.PlanInput{Prior: &d})
	s.must(err)
	if text := strings.Join(p.Changes, "\n"); !strings.Contains(text, "db: snapshot volume data before the upgrade, after its pre_snapshot command, stopped meanwhile") {
		t.Errorf("the plan says\n%s", text)
	}
	s.node.Calls()
	s.must(s.restoring("4.0.0", true))
	if got := s.done("exec", "stop"); len(got) < 2 || got[0] != "exec db-1-1 flush all" || got[1] != "stop db-1-1" {
		t.Errorf("done was %q", got)
	}
	s.must(s.restoring("1.0.0", true))
	if got := s.done("exec"); len(got) > 0 {
		t.Errorf("on the way back %q was done", got)
	}
}

// A command that fails, or does not end, fails the rollout with what it said, and
// nothing is touched: no more than what serves is there, nothing stopped.
func TestNotQuietBeforeTheSnapshot(t *testing.T) {
	s := databaseScene(t)
	_, err := s.create("acme/shop/1.0.0")
	s.must(err)
	for _, test := range []struct{ timeout, command, said string }{
		{"1m", "fails the disk is full", "components.db.volumes.data.pre_snapshot: the command in db-1-1 ended with exit code 7: the disk is full"},
		{"10ms", "hangs", "components.db.volumes.data.pre_snapshot: the command in db-1-1 did not end within 10ms"},
	} {
		s.quieting(test.timeout, strings.Fields(test.command)...)
		s.node.Calls()
		err := s.restoring("4.0.0", true)
		var failed *engine.RolloutError
		if !errors.As(err, &failed) || failed.Phase != engine.PhaseData || failed.Component != "db" || !strings.Contains(failed.Message, test.said) {
			t.Fatalf("%s: %v", test.command, err)
		}
		if failed.Restored != "version 1.0.0 serves; it was not touched" {
			t.Errorf("%s: %s", test.command, failed.Restored)
		}
		if got := s.done("stop", "create", "start", "remove", "snapshot"); len(got) > 0 {
			t.Errorf("%s: %q was done", test.command, got)
		}
		s.wantRunning("api-1-1", "db-1-1")
	}
	s.quieting("", "flush") // the version was not sealed: another command helps
	s.must(s.restoring("4.0.0", true))
}

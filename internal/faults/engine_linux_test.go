package faults_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

// back is when the Docker Engine is back.
type back int

const (
	tooLate back = iota // once the rollout has failed
	late                // when the rollout has failed and waits to start again what it stopped
	inTime              // while the rollout goes on
)

// event is what befalls the Docker Engine.
type event struct {
	name  string
	back  back
	falls func(*testdocker.Daemon) error
	rises func(*testdocker.Daemon) error
}

// The places of events.
const (
	stop = iota
	kill
	hang
	restart
	outage
	shutdown
)

var events = []event{
	{"stop", tooLate, (*testdocker.Daemon).Stop, (*testdocker.Daemon).Run},
	{"kill", tooLate, (*testdocker.Daemon).Kill, (*testdocker.Daemon).Run},
	{"hang", tooLate, signal(syscall.SIGSTOP), signal(syscall.SIGCONT)},
	{"restart", inTime, (*testdocker.Daemon).Stop, (*testdocker.Daemon).Run},
	{"outage", late, (*testdocker.Daemon).Kill, (*testdocker.Daemon).Run},
	{"shutdown", late, (*testdocker.Daemon).Stop, (*testdocker.Daemon).Run},
}

func signal(s syscall.Signal) func(*testdocker.Daemon) error {
	return func(d *testdocker.Daemon) error { return d.Signal(s) }
}

// phase is where a rollout is.
type phase struct {
	name, step, component string
	nth                   int
	moment                moment
}

// phases are where a rollout is when it happens.
//
// A container that starts at the very moment when the Engine stops can be lost to
// the Engine itself, so no start is under way then.
var phases = []phase{
	{name: "pull", step: "pull", moment: during},
	{name: "preflight", step: "preflight", moment: before},
	{name: "stop old db", step: "stop", component: "db", moment: before},
	{name: "create db", step: "create", component: "db", moment: before},
	{name: "start db", step: "start", component: "db", moment: before},
	{name: "started db", step: "start", component: "db", moment: after},
	{name: "check db", step: "dial", component: "db", moment: during},
	{name: "stabilise db", step: "dial", component: "db", nth: 2, moment: during},
	{name: "create api", step: "create", component: "api", moment: after},
	{name: "check api", step: "dial", component: "api", moment: during},
	{name: "switch api", step: "route", nth: 3, moment: before},
	{name: "commit", step: "commit", moment: during},
	{name: "stop old api", step: "stop", component: "api", moment: during},
}

// Whatever befalls the Docker Engine, and whenever: never do two write to one
// volume, what served serves once the Engine is back, and applying again brings
// the new version and leaves nothing else.
//
// Some cells of the table; SLIPWAY_TEST_FAULTS=all fills in every one.
func TestDockerEngineFails(t *testing.T) {
	t.Parallel()
	for name, cells := range map[string][]struct{ phase, event int }{
		"and is back": {{0, restart}, {3, outage}, {5, restart}},
		"for long":    {{2, kill}, {7, hang}, {11, stop}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, serves := deployed(t, testdocker.Options{})
			for _, c := range cells {
				serves = s.cell(phases[c.phase], events[c.event], serves)
			}
		})
	}
}

func TestDockerEngineFailsInEveryPhase(t *testing.T) {
	if os.Getenv("SLIPWAY_TEST_FAULTS") != "all" {
		t.Skip("every event in every phase takes many minutes: set SLIPWAY_TEST_FAULTS=all")
	}
	for _, e := range events {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			s, serves := deployed(t, testdocker.Options{})
			for _, p := range phases {
				serves = s.cell(p, e, serves)
			}
		})
	}
}

// cell fills in one cell of the table of phases and events, and answers what
// serves then.
func (s *scene) cell(p phase, e event, serves string) string {
	s.Helper()
	next := s.version()
	result := s.befall(e, &wire{step: p.step, component: p.component, nth: p.nth, moment: p.moment}, serves, next)
	s.Logf("%-12s | %-6s | %-8s | %s", p.name, p.moment, e.name, result)
	if s.Failed() {
		s.FailNow()
	}
	return next
}

// befall applies the next version while it happens, and again.
func (s *scene) befall(e event, w *wire, serves, next string) (result string) {
	s.Helper()
	rise := sync.OnceFunc(func() {
		s.clock.relax()
		if err := e.rises(s.daemon); err != nil {
			s.Error(err)
		}
	})
	w.act = func() {
		if err := e.falls(s.daemon); err != nil {
			s.Error(err)
		}
		if e.back == inTime {
			w.ended.Go(rise)
		} else {
			s.clock.hurry()
		}
	}
	if w.step == "pull" {
		w.act = s.halfWay(w.act)
	}
	if e.back == late {
		s.overtime.Store(&rise)
	}
	s.open()
	failed := s.at(w, next)
	s.overtime.Store(nil)
	if e.back == tooLate {
		s.tellsOfSilence()
	}
	rise()
	result = s.promised(e, failed, serves)
	s.again(next)
	return result
}

// tellsOfSilence demands that a refresh tells of a node that is away and forgets
// nothing.
func (s *scene) tellsOfSilence() {
	s.Helper()
	s.engine.BeginRun("another")
	d, err := s.engine.Deployment(s.Context(), id)
	s.must(err)
	if !strings.Contains(d.Observed.NodeMessage, "does not answer") && !strings.Contains(d.Observed.NodeMessage, "hangs") {
		s.Errorf("of the node that is away it says %q", d.Observed.NodeMessage)
	}
}

// promised looks at the node as the failed attempt left it, once the Engine is back.
func (s *scene) promised(e event, failed error, serves string) string {
	s.Helper()
	all := s.instances()
	writers := 0
	for _, i := range all {
		if i.component == "db" && i.running {
			writers++
		}
	}
	if writers > 1 {
		s.Errorf("two write to one volume: %v", all)
	}
	s.await("what was not stopped serves", func() bool {
		return len(s.serving("api")) > 0 && (failed == nil || e.back == tooLate || len(s.serving("db")) > 0)
	})
	if e.back == late && failed != nil {
		s.converged(serves)
	}
	if failed == nil {
		return fmt.Sprintf("went on, %s", s.whoServes())
	}
	if !slices.Contains(s.serving("api"), tagOf(serves)) {
		s.Errorf("%s does not serve any more: %s", serves, s.whoServes())
	}
	var story *engine.RolloutError
	if !errors.As(failed, &story) || story.OperationID == "" || story.Restored == "" {
		s.Errorf("the error tells too little: %v", failed)
	}
	return fmt.Sprintf("%s; %s", s.whoServes(), strings.ReplaceAll(explain(failed), "\n", "; "))
}

// whoServes tells which versions serve.
func (s *scene) whoServes() string {
	return fmt.Sprintf("db %v, api %v", s.serving("db"), s.serving("api"))
}

func (s *scene) await(what string, condition func() bool) {
	s.Helper()
	deadline, tick := time.After(patience), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			s.Fatalf("waited %s in vain: %s; there are %+v", patience, what, slices.Clone(s.instances()))
		}
	}
}

func explain(err error) string {
	var story *engine.RolloutError
	if errors.As(err, &story) {
		return story.Detail()
	}
	return err.Error()
}

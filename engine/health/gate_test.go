package health

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// script is an instance whose life and health follow the time since its start.
type script struct {
	start    time.Time
	exec     func(at time.Duration, check string) (code int, takes time.Duration)
	alive    func(at time.Duration) (Liveness, error)
	mu       sync.Mutex // probes run side by side
	probedAt []time.Duration
}

func (s *script) at() time.Duration { return time.Since(s.start) }

func (s *script) Exec(ctx context.Context, command []string) (int, string, error) {
	s.mu.Lock()
	s.probedAt = append(s.probedAt, s.at())
	s.mu.Unlock()
	code, takes := s.exec(s.at(), command[0])
	select {
	case <-ctx.Done():
		return -1, "", ctx.Err()
	case <-time.After(takes):
		return code, "not yet", nil
	}
}

func up(time.Duration) (Liveness, error) { return Liveness{Running: true, ExitCode: -1}, nil }

// from answers ok from that time on.
func from(d time.Duration) func(time.Duration, string) (int, time.Duration) {
	return func(at time.Duration, _ string) (int, time.Duration) {
		if at < d {
			return 1, 0
		}
		return 0, 0
	}
}

// after is a process that ends so.
func after(d time.Duration, end Liveness) func(time.Duration) (Liveness, error) {
	return func(at time.Duration) (Liveness, error) {
		if at < d {
			return up(at)
		}
		return end, nil
	}
}

func checks(names ...string) map[string]engine.HealthCheck {
	all := map[string]engine.HealthCheck{}
	for _, n := range names {
		all[n] = engine.HealthCheck{Exec: &engine.ExecCheck{Command: []string{n}}}
	}
	return all
}

func TestGate(t *testing.T) {
	const ms = time.Millisecond
	no := false
	exit3 := Liveness{ExitCode: 3}
	for name, test := range map[string]struct {
		checks     map[string]engine.HealthCheck
		exec       func(at time.Duration, check string) (int, time.Duration)
		alive      func(at time.Duration) (Liveness, error)
		minHealthy time.Duration
		job        bool
		events     []time.Duration // when the gate is woken up
		healthy    time.Duration   // when Healthy is called, -1 = never
		took       time.Duration
		phase      engine.Phase // "" = passed
		message    string       // part of it
	}{
		"at once":        {checks: checks("up"), exec: from(0), alive: up},
		"hold":           {checks: checks("up"), exec: from(0), alive: up, minHealthy: 5000 * ms, took: 5000 * ms},
		"later":          {checks: checks("up"), exec: from(250 * ms), alive: up, healthy: 300 * ms, took: 300 * ms},
		"later and hold": {checks: checks("up"), exec: from(250 * ms), alive: up, minHealthy: 100 * ms, healthy: 300 * ms, took: 400 * ms},
		"two checks": {checks: checks("a", "b"), exec: func(at time.Duration, c string) (int, time.Duration) {
			return from(map[string]time.Duration{"b": 250 * ms}[c])(at, c)
		}, alive: up, healthy: 300 * ms, took: 300 * ms},
		"a failure restarts": {checks: checks("up"), exec: func(at time.Duration, _ string) (int, time.Duration) { return boolCode(at == 700*ms), 0 }, alive: up, minHealthy: 1000 * ms, took: 2500 * ms},
		"not on deploy":      {checks: map[string]engine.HealthCheck{"up": {Exec: &engine.ExecCheck{Command: []string{"up"}}, OnDeploy: &no}}, exec: from(time.Hour), alive: up, healthy: 1000 * ms, took: 1000 * ms},

		"no checks":             {alive: up, healthy: 1000 * ms, took: 1000 * ms},
		"no checks, longer":     {alive: up, minHealthy: 2500 * ms, healthy: 2500 * ms, took: 2500 * ms},
		"no checks, ends":       {alive: after(0, exit3), healthy: -1, phase: "start", message: "the process ended with exit code 3 after 0s"},
		"no checks, ends later": {alive: after(750*ms, exit3), healthy: -1, took: 1000 * ms, phase: "start", message: "the process ended with exit code 3 after 1s"},
		"starts late":           {alive: lateStart(500 * ms), healthy: 1700 * ms, took: 1700 * ms},

		"crash":             {checks: checks("up"), exec: from(time.Hour), alive: after(120*ms, exit3), healthy: -1, took: 300 * ms, phase: "start", message: "exit code 3"},
		"crash with event":  {checks: checks("up"), exec: from(time.Hour), alive: after(120*ms, exit3), events: []time.Duration{120 * ms}, healthy: -1, took: 120 * ms, phase: "start", message: "the process ended with exit code 3 after 120ms"},
		"crash in a probe":  {checks: checks("up"), exec: func(time.Duration, string) (int, time.Duration) { return 0, time.Minute }, alive: after(600*ms, exit3), healthy: -1, took: 750 * ms, phase: "start", message: "exit code 3"},
		"event in a probe":  {checks: checks("up"), exec: func(time.Duration, string) (int, time.Duration) { return 0, time.Minute }, alive: after(120*ms, exit3), events: []time.Duration{120 * ms}, healthy: -1, took: 120 * ms, phase: "start", message: "exit code 3"},
		"healthy then dead": {checks: checks("up"), exec: from(0), alive: after(1600*ms, exit3), minHealthy: 5000 * ms, took: 2500 * ms, phase: "stabilise", message: "exit code 3"},
		"restarted":         {checks: checks("up"), exec: from(0), alive: after(1600*ms, Liveness{Running: true, Restarts: 1, ExitCode: 3}), minHealthy: 5000 * ms, took: 2500 * ms, phase: "stabilise", message: "exit code 3 and was started again"},
		"out of memory":     {checks: checks("up"), exec: from(0), alive: after(100*ms, Liveness{ExitCode: 137, OOMKilled: true}), minHealthy: 5000 * ms, took: 100 * ms, phase: "stabilise", message: "ran out of memory"},
		"cannot start":      {alive: after(0, Liveness{Error: "no such file: /bin/api", ExitCode: -1}), healthy: -1, phase: "start", message: "could not be started: no such file: /bin/api"},
		"never starts":      {alive: lateStart(time.Hour), healthy: -1, took: 5500 * ms, phase: "start", message: "the process did not start after 5.5s"},
		"lost":              {checks: checks("up"), exec: from(0), alive: after(1600*ms, Liveness{ExitCode: -1}), minHealthy: 5000 * ms, took: 2500 * ms, phase: "stabilise", message: "the process is lost after 2.5s"},
		"gone":              {alive: func(time.Duration) (Liveness, error) { return Liveness{}, engine.NotFound("instance", "api-1-1") }, healthy: -1, phase: "start", message: "the instance is gone"},
		"dies at the end":   {checks: checks("up"), exec: func(time.Duration, string) (int, time.Duration) { return 0, 50 * ms }, alive: after(40*ms, exit3), healthy: 50 * ms, took: 50 * ms, phase: "stabilise", message: "exit code 3"},

		"job done":         {alive: after(300*ms, Liveness{}), job: true, healthy: 300 * ms, took: 300 * ms},
		"job fails":        {alive: after(300*ms, exit3), job: true, healthy: -1, took: 300 * ms, phase: "start", message: "exit code 3"},
		"no job ends well": {alive: after(300*ms, Liveness{}), healthy: -1, took: 300 * ms, phase: "start", message: "exit code 0"},
		"job with check":   {checks: checks("up"), exec: from(time.Hour), alive: after(300*ms, Liveness{}), job: true, healthy: 300 * ms, took: 300 * ms},

		"never healthy": {checks: checks("up"), exec: from(time.Hour), alive: up, healthy: -1, took: 10000 * ms, phase: "check", message: "not healthy within 10s: up ended with exit code 1: not yet"},
		"hangs":         {checks: checks("up"), exec: func(time.Duration, string) (int, time.Duration) { return 0, time.Hour }, alive: up, healthy: -1, took: 10000 * ms, phase: "check", message: "not healthy within 10s: up did not end within 5s"},
		"flaps": {checks: checks("up"), exec: func(at time.Duration, _ string) (int, time.Duration) {
			return boolCode(at.Round(time.Second)%(2*time.Second) != 0), 0
		}, alive: up, minHealthy: 3000 * ms, took: 10000 * ms, phase: "stabilise", message: "up ended with exit code 1"},
		"too long":          {checks: checks("up"), exec: from(0), alive: up, minHealthy: time.Minute, took: 10000 * ms, phase: "stabilise", message: "all checks passed, but not for long enough"},
		"silent at the end": {checks: checks("up"), exec: func(time.Duration, string) (int, time.Duration) { return 0, 50 * ms }, alive: silentAfter(40 * ms), took: 10000 * ms, healthy: 50 * ms, phase: "stabilise", message: "no route"},
		"node is silent":    {alive: func(time.Duration) (Liveness, error) { return Liveness{}, errors.New("no route") }, healthy: -1, took: 10000 * ms, phase: "check", message: "not healthy within 10s: the instance cannot be looked at: no route"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &script{start: time.Now(), exec: test.exec, alive: test.alive}
				ctx, cancel := WithTimeout(t.Context(), SystemClock{}, 10*time.Second)
				defer cancel()
				healthy, calls := time.Duration(-1), 0
				err := Gate{Clock: SystemClock{}, MinHealthy: test.minHealthy}.Wait(ctx, GateInput{
					Target: target{s}, Checks: test.checks, Events: eventsAt(test.events),
					Alive:        func(context.Context) (Liveness, error) { return s.alive(s.at()) },
					Healthy:      func() { healthy = s.at(); calls++ },
					RestartNever: test.job, ProgressDeadline: 10 * time.Second,
				})
				if s.at() != test.took || healthy != test.healthy || calls > 1 {
					t.Errorf("took %v, healthy at %v (%d calls); want %v, healthy at %v", s.at(), healthy, calls, test.took, test.healthy)
				}
				wantFailure(t, err, test.phase, test.message)
			})
		})
	}
}

func boolCode(fails bool) int {
	if fails {
		return 1
	}
	return 0
}

func lateStart(d time.Duration) func(time.Duration) (Liveness, error) {
	return func(at time.Duration) (Liveness, error) { return Liveness{Running: at >= d, ExitCode: -1}, nil }
}

func silentAfter(d time.Duration) func(time.Duration) (Liveness, error) {
	return func(at time.Duration) (Liveness, error) {
		if at < d {
			return up(at)
		}
		return Liveness{}, errors.New("no route")
	}
}

// target leaves dialling to host.
type target struct{ *script }

func (target) Dial(ctx context.Context, network string, port int) (net.Conn, error) {
	return host{}.Dial(ctx, network, port)
}

// eventsAt wakes up at those times.
func eventsAt(times []time.Duration) <-chan struct{} {
	events := make(chan struct{}, len(times))
	for _, d := range times {
		time.AfterFunc(d, func() { events <- struct{}{} })
	}
	return events
}

func wantFailure(t *testing.T, err error, phase engine.Phase, message string) {
	t.Helper()
	var f *Failure
	switch {
	case phase == "" && err != nil:
		t.Errorf("failed: %v", err)
	case phase != "" && !errors.As(err, &f):
		t.Errorf("no failure: %v", err)
	case phase != "" && (f.Phase != phase || !strings.Contains(f.Message, message)):
		t.Errorf("failed in %s: %q, want %s: %q", f.Phase, f.Message, phase, message)
	case phase != "" && (f.ExitCode != nil) != strings.HasPrefix(f.Message, "the process ended") && !f.OOMKilled:
		t.Errorf("exit code %v for %q", f.ExitCode, f.Message)
	}
}

func TestGateProbesAtOnceAndBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{start: time.Now(), exec: from(2500 * time.Millisecond)}
		err := Gate{Clock: SystemClock{}}.Wait(t.Context(), GateInput{
			Target: target{s}, Checks: checks("up"), Alive: func(context.Context) (Liveness, error) { return up(0) },
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []time.Duration{0, 100, 300, 700, 1500, 2500} {
			if i >= len(s.probedAt) || s.probedAt[i] != want*time.Millisecond {
				t.Fatalf("probed at %v, probe %d should be at %v", s.probedAt, i, want*time.Millisecond)
			}
		}
	})
}

func TestGateCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(500*time.Millisecond, cancel)
		s := &script{start: time.Now(), exec: from(time.Hour)}
		err := Gate{Clock: SystemClock{}}.Wait(ctx, GateInput{
			Target: target{s}, Checks: checks("up"), Alive: func(context.Context) (Liveness, error) { return up(0) },
		})
		if !errors.Is(err, context.Canceled) || s.at() != 500*time.Millisecond {
			t.Errorf("after %v: %v", s.at(), err)
		}
	})
}

func TestGateAfterEarlierRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alive := func(context.Context) (Liveness, error) { return Liveness{Running: true, Restarts: 2, ExitCode: 1}, nil }
		closed := make(chan struct{})
		close(closed)
		in := GateInput{Alive: alive, Restarts: 2, Events: closed}
		if err := (Gate{Clock: SystemClock{}}).Wait(t.Context(), in); err != nil {
			t.Errorf("restarts from before count: %v", err)
		}
		in.Restarts = 1
		wantFailure(t, (Gate{Clock: SystemClock{}}).Wait(t.Context(), in), "start", "started again")
	})
}

func TestGateNamesTheFailingCheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s := &script{start: time.Now(), exec: func(_ time.Duration, c string) (int, time.Duration) { return boolCode(c == "b"), 0 }}
		err := Gate{Clock: SystemClock{}}.Wait(ctx, GateInput{
			Target: target{s}, Checks: checks("a", "b", "c"), Alive: func(context.Context) (Liveness, error) { return up(0) },
		})
		if f := new(Failure); !errors.As(err, &f) || f.Check != "b" || f.Error() != `check "b": not healthy in time: b ended with exit code 1: not yet` {
			t.Errorf("got %v", err)
		}
	})
}

func TestJobMustEndBeforeTheGateOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		job := script{start: time.Now(), alive: after(7*time.Second, Liveness{ExitCode: 0})}
		err := Gate{Clock: SystemClock{}, MinHealthy: time.Second}.Wait(t.Context(), GateInput{
			Alive:        func(context.Context) (Liveness, error) { return job.alive(job.at()) },
			RestartNever: true, MustEnd: true,
		})
		if err != nil || job.at() < 7*time.Second {
			t.Errorf("the gate opened after %s with %v", job.at(), err)
		}
	})
}

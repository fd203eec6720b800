//go:build linux

package supervisor

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

func TestBackoff(t *testing.T) {
	var b backoff
	for n, want := range []time.Duration{100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000} {
		if got := b.next(0); got != want*time.Millisecond {
			t.Errorf("restart %d waits %s, want %s", n+1, got, want*time.Millisecond)
		}
	}
	if got := b.next(settled); got != firstDelay {
		t.Errorf("after a settled life it waits %s", got)
	}
}

func TestRestarts(t *testing.T) {
	for _, test := range []struct {
		policy string
		code   int
		want   bool
	}{
		{"", 0, true}, {"always", 0, true}, {"always", 1, true}, {"on_failure", 0, false},
		{"on_failure", 1, true}, {"on_failure", 137, true}, {"never", 1, false},
	} {
		if got := restarts(test.policy, test.code); got != test.want {
			t.Errorf("%s after %d: %t", test.policy, test.code, got)
		}
	}
}

func TestSignalNumber(t *testing.T) {
	for name, want := range map[string]unix.Signal{
		"SIGTERM": unix.SIGTERM, "term": unix.SIGTERM, "QUIT": unix.SIGQUIT, "9": unix.SIGKILL,
		"SIGRTMIN+3": 37, "": unix.SIGHUP, "nonsense": unix.SIGHUP, "0": unix.SIGHUP,
	} {
		if got := SignalNumber(name, unix.SIGHUP); got != want {
			t.Errorf("%q is %d, want %d", name, got, want)
		}
	}
}

func TestWorst(t *testing.T) {
	for _, test := range []struct {
		states  []health.Verdict
		running bool
		want    health.Verdict
	}{
		{nil, true, health.OK}, {nil, false, health.Unknown},
		{[]health.Verdict{health.OK, health.OK}, true, health.OK},
		{[]health.Verdict{health.OK, health.Unknown}, true, health.Unknown},
		{[]health.Verdict{health.Unknown, health.Failing}, true, health.Failing},
		{[]health.Verdict{health.Anomaly, health.OK, health.Failing}, true, health.Anomaly},
	} {
		verdicts := map[string]verdict{}
		for n, s := range test.states {
			verdicts[string(rune('a'+n))] = verdict{state: s}
		}
		if got := worst(verdicts, test.running).state; got != test.want {
			t.Errorf("%v is %s, want %s", test.states, got, test.want)
		}
	}
}

func TestCommandOf(t *testing.T) {
	image := state.Image{Entrypoint: []string{"/entry"}, Cmd: []string{"serve"}, Env: []string{"A=image", "B=image"}, WorkingDir: "/srv"}
	for _, test := range []struct {
		c    engine.Component
		want string
	}{
		{engine.Component{}, "/entry serve"},
		{engine.Component{Args: []string{"check"}}, "/entry check"},
		{engine.Component{Command: []string{"/other"}}, "/other"},
		{engine.Component{Command: []string{"/other"}, Args: []string{"x"}}, "/other x"},
	} {
		s := &Supervisor{}
		r := state.Record{Spec: node.Spec{Component: test.c, Env: map[string]string{"B": "spec", "C": "spec"}}, Image: image}
		c, err := s.commandOf(r, node.Secrets{Env: map[string]string{"C": "secret"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.Args, " "); got != test.want {
			t.Errorf("runs %q, want %q", got, test.want)
		}
		for _, want := range []string{"A=image", "B=spec", "C=secret"} {
			if !slices.Contains(c.Env, want) {
				t.Errorf("%q is not in %q", want, c.Env)
			}
		}
		if !c.NoNewPrivileges || c.WorkingDir != "/srv" {
			t.Errorf("%+v", c)
		}
	}
	if _, err := (&Supervisor{}).commandOf(state.Record{}, node.Secrets{}); err == nil {
		t.Error("nothing to run is no error")
	}
}

func TestHosts(t *testing.T) {
	got := hosts("box", netip.MustParseAddr("10.88.0.16"), map[string]string{"db.example": "192.0.2.1"})
	for _, want := range []string{"127.0.0.1\tlocalhost\n", "10.88.0.16\tbox\n", "192.0.2.1\tdb.example\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
}

package e2e

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/internal/load"
)

// envLoad makes the test of traffic long, and its load heavy, when it is "all".
const envLoad = "SLIPWAY_TEST_LOAD"

// operation is what happens to the shop while it is asked.
type operation struct {
	what     string
	release  string
	replicas string
	path     string // of the route of another deployment on the node
	fails    string // what terraform says then, "" = it succeeds

	set      map[string]string       // further variables of the configuration, from then on
	deadline string                  // of a new instance, "" = 1m
	loses    lost                    // what visitors may meet meanwhile
	hand     func(*world, *load.Run) // is done by hand instead of an apply
}

var operations = []operation{
	{what: "upgrade", release: "1.1.0", replicas: "1", path: "/a"},
	{what: "upgrade to what crashes", release: "crash", replicas: "1", path: "/a", fails: "cannot go on"},
	{what: "three instances instead of one", release: "1.1.0", replicas: "3", path: "/a"},
	{what: "rollback of three instances", release: "1.0.0", replicas: "3", path: "/a"},
	{what: "another deployment's route changes", release: "1.0.0", replicas: "3", path: "/b"},
	// What follows is done when all is asked for.
	{what: "upgrade of three to what is never healthy", release: "sick", replicas: "3", path: "/b", fails: "503", deadline: "4s"},
	{what: "one instance instead of three", release: "1.0.0", replicas: "1", path: "/b"},
	{what: "upgrade to what listens elsewhere", release: "deaf", replicas: "1", path: "/b", fails: "refused", deadline: "4s"},
	{what: "upgrade with two instances more", release: "1.1.0", replicas: "3", path: "/b"},
	{what: "another deployment's route changes back, with a rollback", release: "1.0.0", replicas: "3", path: "/a"},
	{what: "upgrade of three", release: "1.2.0", replicas: "3", path: "/a"},
	{what: "rollback of three by two releases", release: "1.0.0", replicas: "3", path: "/a"},
	{what: "upgrade of three to what crashes", release: "crash", replicas: "3", path: "/a", fails: "cannot go on"},
	{what: "two instances and another release", release: "1.1.0", replicas: "2", path: "/a"},
	{what: "upgrade of two", release: "1.2.0", replicas: "2", path: "/a"},
	{what: "upgrade of two to what listens elsewhere", release: "deaf", replicas: "2", path: "/a", fails: "refused", deadline: "4s"},
	{what: "one instance instead of two", release: "1.2.0", replicas: "1", path: "/a"},
	{what: "rollback", release: "1.1.0", replicas: "1", path: "/a"},
	{what: "upgrade to what is never healthy", release: "sick", replicas: "1", path: "/a", fails: "503", deadline: "4s"},
	{what: "rollback to the first release", release: "1.0.0", replicas: "1", path: "/a"},
}

// TestTraffic asks the shop all the time while it is upgraded, rolled back, scaled,
// moved by every strategy, and while bad releases of it fail: not one request may be
// lost, whether it comes by HTTP/1.1 or HTTP/2, with or without TLS.
func TestTraffic(t *testing.T) {
	doing, mix := slices.Concat(operations[:5], strategies[:3]), load.Default.At(30)
	mix.Patience = patience // beside all other tests
	if os.Getenv(envLoad) == "all" {
		doing, mix = slices.Concat(operations, strategies), load.Default
	}
	mix.Visitors = 20
	everywhere(t, func(t *testing.T, on nodeKind) {
		w := on.newWorld(t, busy)
		at := w.openIngress()
		w.apply()
		w.busyThroughout(at, mix, doing)
	})
}

// busyThroughout does all that while somebody asks.
func (w *world) busyThroughout(at []load.Target, mix load.Mix, doing []operation) {
	t := w.t
	t.Helper()
	for _, to := range at { // the certificate of the ingress's own authority takes a moment
		until(t, patience, func() error { return to.Answers(t.Context()) })
	}
	asked := load.Start(at[0], mix, at[1:]...)
	defer asked.Stop()
	w.serves(asked, "1.0.0")
	for _, o := range doing {
		w.underLoad(asked, o)
	}
	asked.Mark("nothing")
	w.nothingToDo()
	r := asked.Stop()
	t.Logf("%s, %d operations: %s", w.on.name, len(doing), r)
	if r.Failed > 0 || r.Drained == 0 {
		t.Errorf("%d requests were lost; %d websockets were drained, want some", r.Failed, r.Drained)
	}
	good := regexp.MustCompile(`^(1\.\d\.0|loose|ill)$`)
	for version := range r.ByVersion {
		if !good.MatchString(version) {
			t.Errorf("%q answered visitors", version)
		}
	}
}

// underLoad does one operation, and tells what it did to visitors.
func (w *world) underLoad(asked *load.Run, o operation) {
	t := w.t
	t.Helper()
	before := asked.Report()
	asked.Mark(o.what)
	asked.Expect(o.loses.failures, time.Time{})
	w.operate(asked, o)
	if o.fails == "" {
		w.serves(asked, o.release)
	}
	if o.loses.failures != nil {
		w.finished(asked)
		asked.Expect(nil, time.Time{})
	}
	r := asked.Report()
	requests, lost := r.Requests-before.Requests, r.Expected-before.Expected
	if o.loses.failures != nil {
		t.Logf("%s, %s: %d of %d requests failed", w.on.name, o.what, lost, requests)
	}
	if r.Failed > 0 || float64(lost) > o.loses.share*float64(requests) {
		t.Fatalf("%s: %d requests failed as expected of %d, at most %g; others were lost\n%s", o.what, lost, requests, o.loses.share, r)
	}
}

// operate makes what the operation wants, or fails to.
func (w *world) operate(asked *load.Run, o operation) {
	w.t.Helper()
	for variable, value := range o.set {
		w.set(variable, value)
	}
	if o.hand != nil {
		o.hand(w, asked)
		return
	}
	w.set("release", o.release)
	w.set("replicas", o.replicas)
	w.set("path", o.path)
	w.set("deadline", cmp.Or(o.deadline, "1m"))
	if o.fails == "" {
		w.apply()
		return
	}
	w.applyFails(o.fails)
}

// serves holds when the release answers visitors from now on.
func (w *world) serves(asked *load.Run, release string) {
	w.t.Helper()
	before := asked.Report().ByVersion[release]
	until(w.t, patience, func() error {
		if r := asked.Report(); r.ByVersion[release] < before+10 {
			return fmt.Errorf("%s is not what answers\n%s", release, r)
		}
		return nil
	})
}

// finished waits until some more requests have their answers: what an operation did
// to those under way is known then.
func (w *world) finished(asked *load.Run) {
	w.t.Helper()
	before := asked.Report().ByKind
	until(w.t, patience, func() error {
		now := asked.Report().ByKind
		for kind, n := range map[load.Kind]int{load.Quick: 50, load.Slow: 3} {
			if now[kind] < before[kind]+n {
				return fmt.Errorf("%d %s requests were answered", now[kind]-before[kind], kind)
			}
		}
		return nil
	})
}

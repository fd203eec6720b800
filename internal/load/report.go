package load

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// Report tells what became of a load.
type Report struct {
	Requests  int // with the echoes of websockets
	Failed    int
	Failures  []Failure // the first of them
	Expected  int       // failed as Run.Expect said; they are not among Failed
	Raced     int       // asked again by the HTTP client: the server closed a kept connection at that moment
	Drained   int       // websockets that the application closed because its instance stops
	ByTarget  map[string]Part
	ByKind    map[Kind]int
	ByVersion map[string]int       // good answers but those of websockets, by who gave them
	FirstBy   map[string]time.Time // when a version's first good answer was there
	Lasted    time.Duration
	Longest   Latency
	latencies []time.Duration // sorted, of quick requests
}

// Part is what became of some requests.
type Part struct {
	Requests, Failed int
	Longest          time.Duration // as Latency.Took
}

// Failure is a request that was lost.
type Failure struct {
	After time.Duration // since the start
	While string        // the last mark
	To    string        // the target
	Kind  Kind
	Error string
}

// Latency is how long a request took from when it was due, without the time that
// it was meant to take.
type Latency struct {
	Took  time.Duration
	After time.Duration // since the start, when it ended
	While string
	Kind  Kind
}

// Percentile is the latency that so much of 1 of all quick requests do not exceed.
func (r Report) Percentile(p float64) time.Duration {
	if len(r.latencies) == 0 {
		return 0
	}
	return r.latencies[min(len(r.latencies)-1, int(p*float64(len(r.latencies))))]
}

// String says it in a few lines.
func (r Report) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d requests in %s, %.0f per second: %d failed", r.Requests, r.Lasted.Round(100*time.Millisecond), float64(r.Requests)/max(r.Lasted.Seconds(), 1e-9), r.Failed)
	if r.Expected > 0 {
		fmt.Fprintf(&text, ", %d as expected", r.Expected)
	}
	fmt.Fprintf(&text, "; longest %s over what was asked for (%s", r.Longest.Took.Round(100*time.Microsecond), r.Longest.Kind)
	if r.Longest.While != "" {
		fmt.Fprintf(&text, ", while: %s", r.Longest.While)
	}
	text.WriteString("); quick ones")
	for _, p := range []float64{0.5, 0.9, 0.99, 0.999} {
		fmt.Fprintf(&text, " p%g %s", p*100, r.Percentile(p).Round(100*time.Microsecond))
	}
	fmt.Fprintf(&text, "; %d raced with the end of a kept connection, %d websockets drained", r.Raced, r.Drained)
	fmt.Fprintf(&text, "\nby kind %s; by version %s", listed(r.ByKind), listed(r.ByVersion))
	if len(r.ByTarget) > 1 {
		for _, to := range slices.Sorted(maps.Keys(r.ByTarget)) {
			p := r.ByTarget[to]
			fmt.Fprintf(&text, "\n%s: %d requests, %d failed, longest %s", to, p.Requests, p.Failed, p.Longest.Round(100*time.Microsecond))
		}
	}
	for _, f := range r.Failures {
		fmt.Fprintf(&text, "\nfailed after %s", f.After.Round(time.Millisecond))
		if f.While != "" {
			fmt.Fprintf(&text, ", while: %s", f.While)
		}
		fmt.Fprintf(&text, ": %s to %s: %s", f.Kind, f.To, f.Error)
	}
	return text.String()
}

func listed[K ~string](counts map[K]int) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, counts[k]))
	}
	return strings.Join(parts, ", ")
}

// shown is how many failures are kept.
const shown = 10

// outcome is what became of one request.
type outcome struct {
	target  Target
	kind    Kind
	version string
	err     error
	raced   bool
	due     time.Time
	took    time.Duration
}

// tally counts outcomes.
type tally struct {
	began  time.Time
	mu     sync.Mutex
	while  string
	excuse *regexp.Regexp // see Run.Expect
	due    time.Time
	so     Report
}

func newTally(began time.Time) tally {
	return tally{began: began, so: Report{ByTarget: map[string]Part{}, ByKind: map[Kind]int{}, ByVersion: map[string]int{}, FirstBy: map[string]time.Time{}}}
}

func (t *tally) mark(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.while = what
}

func (t *tally) expect(failures *regexp.Regexp, due time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.excuse, t.due = failures, due
}

func (t *tally) expected(o outcome) bool {
	inTime := t.due.IsZero() || o.kind == Websocket || o.due.Before(t.due)
	return o.err != nil && t.excuse != nil && t.excuse.MatchString(o.err.Error()) && inTime
}

func (t *tally) drained() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.so.Drained++
}

func (t *tally) add(o outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	after := time.Since(t.began)
	t.so.Requests++
	t.so.ByKind[o.kind]++
	if o.raced {
		t.so.Raced++
	}
	if o.took > t.so.Longest.Took {
		t.so.Longest = Latency{Took: o.took, After: after, While: t.while, Kind: o.kind}
	}
	expected := t.expected(o)
	part := t.so.ByTarget[o.target.String()]
	part.Requests++
	part.Longest = max(part.Longest, o.took)
	if o.err != nil && !expected {
		part.Failed++
	}
	t.so.ByTarget[o.target.String()] = part
	switch {
	case expected:
		t.so.Expected++
		return
	case o.err != nil:
		t.so.Failed++
		if len(t.so.Failures) < shown {
			t.so.Failures = append(t.so.Failures, Failure{After: after, While: t.while, To: o.target.String(), Kind: o.kind, Error: o.err.Error()})
		}
		return
	case o.kind == Quick:
		t.so.latencies = append(t.so.latencies, o.took)
	}
	if o.kind == Websocket {
		return
	}
	if t.so.ByVersion[o.version]++; t.so.ByVersion[o.version] == 1 {
		t.so.FirstBy[o.version] = t.began.Add(after)
	}
}

// report is a copy.
func (t *tally) report() Report {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.so
	r.Lasted = time.Since(t.began)
	r.Failures, r.latencies = slices.Clone(r.Failures), slices.Sorted(slices.Values(r.latencies))
	r.ByTarget = maps.Clone(r.ByTarget)
	r.ByKind, r.ByVersion, r.FirstBy = maps.Clone(r.ByKind), maps.Clone(r.ByVersion), maps.Clone(r.FirstBy)
	return r
}

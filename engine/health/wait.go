package health

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// wait is one Wait of a gate.
type wait struct {
	GateInput
	clock   Clock
	hold    time.Duration
	names   []string // of the checks that count, sorted
	backoff Backoff

	started   time.Time
	okSince   time.Time // zero while not everything is ok
	announced bool
	ran       bool    // it was seen running
	last      Failure // the newest that went wrong, for the deadline's message
}

func newWait(g Gate, in GateInput) *wait {
	w := &wait{GateInput: in, clock: g.Clock, hold: g.MinHealthy, started: g.Clock.Now()}
	for _, name := range slices.Sorted(maps.Keys(in.Checks)) {
		if gates := in.Checks[name].OnDeploy; gates == nil || *gates {
			w.names = append(w.names, name)
		}
	}
	if len(w.names) == 0 {
		w.hold = max(w.hold, MinHoldWithoutChecks)
	}
	return w
}

// round looks at the instance, probes everything once, and reports whether the
// instance has passed the gate.
func (w *wait) round(ctx context.Context) (passed bool, err error) {
	up, err := w.look(ctx)
	if err != nil {
		return false, err
	}
	results, err := w.probeAll(ctx)
	if err != nil {
		return false, err
	}
	if !up || w.MustEnd || !w.allOK(results) {
		w.okSince = time.Time{}
		return false, nil
	}
	if w.okSince.IsZero() {
		w.okSince = w.clock.Now()
	}
	if len(w.names) > 0 {
		w.announce()
	}
	if w.clock.Now().Sub(w.okSince) < w.hold {
		return false, nil
	}
	return w.look(ctx) // what answered a moment ago may have ended since
}

// announce tells once that the instance is healthy.
func (w *wait) announce() {
	if !w.announced && w.Healthy != nil {
		w.Healthy()
	}
	w.announced = true
}

// allOK keeps the first failure for the deadline's message.
func (w *wait) allOK(results []Result) bool {
	for i, r := range results {
		if !r.OK {
			w.last = Failure{Check: w.names[i], Message: r.Message}
			return false
		}
	}
	return true
}

// probeAll carries out all checks side by side and answers the results in the
// order of the names. Meanwhile it keeps an eye on the instance, so that a probe
// that hangs does not hide a crash.
func (w *wait) probeAll(ctx context.Context) ([]Result, error) {
	if len(w.names) == 0 {
		return nil, nil
	}
	probing, cancel := context.WithCancel(ctx)
	defer cancel()
	answered := make(chan []Result, 1)
	go func() { answered <- w.probes(probing) }()
	for {
		timer := w.clock.NewTimer(livenessWait)
		select {
		case results := <-answered:
			timer.Stop()
			return results, ctx.Err()
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case _, open := <-w.Events:
			w.drop(open)
		case <-timer.C():
		}
		timer.Stop()
		if _, err := w.look(ctx); err != nil {
			return nil, err
		}
	}
}

func (w *wait) probes(ctx context.Context) []Result {
	results := make([]Result, len(w.names))
	done := make(chan struct{})
	for i, name := range w.names {
		go func() {
			check := w.Checks[name]
			results[i] = Probe(ctx, w.Target, w.Ports, check, timeout(check))
			done <- struct{}{}
		}()
	}
	for range w.names {
		<-done
	}
	return results
}

// defaultTimeout of a probe (design 4.4).
const defaultTimeout = 5 * time.Second

// timeout of a check; one that does not parse was refused long before.
func timeout(c engine.HealthCheck) time.Duration {
	d, err := engine.ParseDuration("timeout", c.Timeout, defaultTimeout)
	if err != nil || d == 0 {
		return defaultTimeout
	}
	return d
}

// pause waits for the next round: the back-off, the end of the hold, an event.
func (w *wait) pause(ctx context.Context) error {
	d := w.backoff.Next()
	if left := w.hold - w.clock.Now().Sub(w.okSince); left > 0 && !w.okSince.IsZero() {
		d = min(d, left)
	}
	timer := w.clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case _, open := <-w.Events:
		w.drop(open)
	case <-timer.C():
	}
	return nil
}

// drop forgets the channel of events once it is closed.
func (w *wait) drop(open bool) {
	if !open {
		w.Events = nil
	}
}

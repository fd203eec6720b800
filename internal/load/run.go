package load

import (
	"context"
	"regexp"
	"sync"
	"time"
)

// Run is a load that goes on.
type Run struct {
	mix     Mix
	ways    []*way
	sending context.CancelFunc
	senders sync.WaitGroup // they begin requests until sending ends
	flying  sync.WaitGroup // requests, which are always finished
	slots   chan struct{}  // each of them has one
	tally   tally
}

// Start begins to send, where there are several targets to one after the other.
// Whoever starts a run stops it.
func Start(to Target, m Mix, also ...Target) *Run {
	ctx, cancel := context.WithCancel(context.Background())
	r := &Run{mix: m, sending: cancel, slots: make(chan struct{}, m.AtOnce), tally: newTally(time.Now())}
	for _, t := range append([]Target{to}, also...) {
		r.ways = append(r.ways, newWay(t, m))
	}
	r.senders.Go(func() { r.send(ctx) })
	for n := range m.Websockets {
		r.senders.Go(func() { r.converse(ctx, r.way(n)) })
	}
	return r
}

// way is the one that the nth goes.
func (r *Run) way(n int) *way { return r.ways[n%len(r.ways)] }

// send begins each request when it is due.
func (r *Run) send(ctx context.Context) {
	began, ticker := time.Now(), time.NewTicker(2*time.Millisecond)
	defer ticker.Stop()
	for sent := 0; ; {
		due := int(time.Since(began).Seconds() * r.mix.Rate)
		for n := sent; n < due; n++ {
			select {
			case r.slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			at := began.Add(time.Duration(float64(n) / r.mix.Rate * float64(time.Second)))
			r.flying.Go(func() {
				defer func() { <-r.slots }()
				r.request(n, at)
			})
		}
		sent = max(sent, due)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// Mark says what happens from now on; failures tell it.
func (r *Run) Mark(what string) { r.tally.mark(what) }

// Expect says which failures are no surprise from now on: those whose text the
// expression matches are counted apart, if they were due before the time, where
// one is given; websockets, which last, may fail later. Nil expects none.
func (r *Run) Expect(failures *regexp.Regexp, due time.Time) { r.tally.expect(failures, due) }

// Report tells what became of the requests that are finished.
func (r *Run) Report() Report { return r.tally.report() }

// Stop sends no more, waits for all answers, and tells what became of all.
func (r *Run) Stop() Report {
	r.sending()
	r.senders.Wait()
	r.flying.Wait()
	for _, w := range r.ways {
		w.kept.CloseIdleConnections()
	}
	return r.tally.report()
}

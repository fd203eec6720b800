package load

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Run is a load that goes on.
type Run struct {
	target  Target
	mix     Mix
	kept    *http.Transport // connections that stay
	fresh   *http.Transport // one for each request
	sending context.CancelFunc
	senders sync.WaitGroup // they begin requests until sending ends
	flying  sync.WaitGroup // requests, which are always finished
	slots   chan struct{}  // each of them has one
	tally   tally
}

// Start begins to send. Whoever starts a run stops it.
func Start(to Target, m Mix) *Run {
	ctx, cancel := context.WithCancel(context.Background())
	r := &Run{target: to, mix: m, sending: cancel, slots: make(chan struct{}, m.AtOnce), tally: newTally(time.Now())}
	r.kept = &http.Transport{DialContext: r.dial, TLSClientConfig: to.TLS, MaxIdleConnsPerHost: 1 << 16, DisableCompression: true}
	r.fresh = &http.Transport{DialContext: r.dial, TLSClientConfig: to.TLS, DisableKeepAlives: true, DisableCompression: true}
	r.senders.Go(func() { r.send(ctx) })
	for range m.Websockets {
		r.senders.Go(func() { r.converse(ctx) })
	}
	return r
}

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

// Report tells what became of the requests that are finished.
func (r *Run) Report() Report { return r.tally.report() }

// Stop sends no more, waits for all answers, and tells what became of all.
func (r *Run) Stop() Report {
	r.sending()
	r.senders.Wait()
	r.flying.Wait()
	r.kept.CloseIdleConnections()
	return r.tally.report()
}

func (r *Run) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if r.target.Address != "" {
		address = r.target.Address
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

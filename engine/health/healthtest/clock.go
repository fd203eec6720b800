// Package healthtest helps to test what waits: a clock that moves by hand.
package healthtest

import (
	"sync"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
)

// Clock is a health.Clock that stands still until Advance. The zero value is
// not ready, see NewClock. It is safe for concurrent use.
type Clock struct {
	mu      sync.Mutex
	changed *sync.Cond // a timer was made, fired or stopped
	now     time.Time
	timers  map[*timer]bool // pending
}

// NewClock makes a clock that shows 2026-01-01 00:00 UTC.
func NewClock() *Clock {
	c := &Clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), timers: map[*timer]bool{}}
	c.changed = sync.NewCond(&c.mu)
	return c
}

// Now implements health.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// NewTimer implements health.Clock; without a wait the timer has fired already.
func (c *Clock) NewTimer(d time.Duration) health.Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &timer{clock: c, at: c.now.Add(d), fired: make(chan time.Time, 1)}
	if d <= 0 {
		t.fired <- c.now
		return t
	}
	c.timers[t] = true
	c.changed.Broadcast()
	return t
}

// Advance moves the clock and fires what is due.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for t := range c.timers {
		if !t.at.After(c.now) {
			delete(c.timers, t)
			t.fired <- c.now
		}
	}
	c.changed.Broadcast()
}

// Next waits until at least one timer is pending and answers how long the
// soonest still has to go.
func (c *Clock) Next() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.timers) == 0 {
		c.changed.Wait()
	}
	var soonest time.Time
	for t := range c.timers {
		if soonest.IsZero() || t.at.Before(soonest) {
			soonest = t.at
		}
	}
	return soonest.Sub(c.now)
}

type timer struct {
	clock *Clock
	at    time.Time
	fired chan time.Time
}

func (t *timer) C() <-chan time.Time { return t.fired }

func (t *timer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	pending := t.clock.timers[t]
	delete(t.clock.timers, t)
	t.clock.changed.Broadcast()
	return pending
}

package faults_test

import (
	"sync"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
)

// pace is how much faster a clock in a hurry runs.
const pace = 30

// clock runs as ever until it is told to hurry: then what waits for a node that
// is away loses patience soon, also what began to wait before. It never goes back.
type clock struct {
	mu      sync.Mutex
	since   time.Time // when it last changed its pace,
	showed  time.Time // and what it showed then
	pace    int
	pending map[*timer]bool
}

func newClock() *clock {
	now := time.Now()
	return &clock{since: now, showed: now, pace: 1, pending: map[*timer]bool{}}
}

// Now implements health.Clock.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shows()
}

func (c *clock) shows() time.Time {
	return c.showed.Add(time.Duration(c.pace) * time.Since(c.since))
}

// NewTimer implements health.Clock.
func (c *clock) NewTimer(d time.Duration) health.Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &timer{clock: c, at: c.shows().Add(d), fired: make(chan time.Time, 1)}
	t.real = time.AfterFunc(d/time.Duration(c.pace), t.fire)
	c.pending[t] = true
	return t
}

func (c *clock) hurry() { c.run(pace) }
func (c *clock) relax() { c.run(1) }

func (c *clock) run(pace int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.showed, c.since, c.pace = c.shows(), time.Now(), pace
	for t := range c.pending {
		t.real.Reset(t.at.Sub(c.showed) / time.Duration(pace))
	}
}

// timer is one of a clock's.
type timer struct {
	clock *clock
	at    time.Time
	real  *time.Timer
	fired chan time.Time
}

// C implements health.Timer.
func (t *timer) C() <-chan time.Time { return t.fired }

// Stop implements health.Timer.
func (t *timer) Stop() bool { return t.end() }

func (t *timer) fire() {
	if t.end() {
		t.fired <- t.at
	}
}

// end reports whether the timer was still pending.
func (t *timer) end() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	pending := t.clock.pending[t]
	delete(t.clock.pending, t)
	t.real.Stop()
	return pending
}

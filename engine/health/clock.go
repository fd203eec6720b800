package health

import (
	"context"
	"time"
)

// Clock is where waits get their time from; healthtest has one for tests.
type Clock interface {
	Now() time.Time
	NewTimer(d time.Duration) Timer
}

// Timer fires once.
type Timer interface {
	C() <-chan time.Time
	Stop() bool // reports whether it stopped the timer before it fired
}

// SystemClock is the machine's clock.
type SystemClock struct{}

// Now implements Clock.
func (SystemClock) Now() time.Time { return time.Now() }

// NewTimer implements Clock.
func (SystemClock) NewTimer(d time.Duration) Timer { return systemTimer{time.NewTimer(d)} }

type systemTimer struct{ *time.Timer }

func (t systemTimer) C() <-chan time.Time { return t.Timer.C }

// WithTimeout is context.WithTimeout on a clock. When the time has passed the
// context's cause is context.DeadlineExceeded; its Err is context.Canceled.
func WithTimeout(parent context.Context, c Clock, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	timer := c.NewTimer(d)
	go func() {
		defer timer.Stop()
		select {
		case <-timer.C():
			cancel(context.DeadlineExceeded)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// Waits between probes of a rollout (design 4.3.3).
const (
	firstWait = 100 * time.Millisecond
	maxWait   = time.Second
)

// Backoff gives the waits after each probe: 100 ms, doubling to 1 s. The first
// probe goes out before any wait. The zero value is ready.
type Backoff struct{ next time.Duration }

// Next is how long to wait now.
func (b *Backoff) Next() time.Duration {
	wait := max(b.next, firstWait)
	b.next = min(2*wait, maxWait)
	return wait
}

// Reset starts again at 100 ms.
func (b *Backoff) Reset() { b.next = 0 }

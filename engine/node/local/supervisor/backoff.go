package supervisor

import "time"

// Restart delays as Docker has them (moby, daemon/internal/restartmanager): 100 ms,
// doubled up to a minute, and back to the first after ten seconds of life.
const (
	firstDelay = 100 * time.Millisecond
	lastDelay  = time.Minute
	settled    = 10 * time.Second
)

// backoff spaces the restarts of one instance.
type backoff struct{ delay time.Duration }

// next tells how long to wait after an instance that lived that long.
func (b *backoff) next(lived time.Duration) time.Duration {
	switch {
	case lived >= settled || b.delay == 0:
		b.delay = firstDelay
	default:
		b.delay = min(2*b.delay, lastDelay)
	}
	return b.delay
}

// restarts reports whether an instance that ended with the code is started again.
func restarts(policy string, code int) bool {
	switch policy {
	case "never":
		return false
	case "on_failure":
		return code != 0
	default:
		return true
	}
}

package supervisor

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// How often an instance is started again because it is sick (design 4.4).
const (
	healQuota  = 5
	healPeriod = 24 * time.Hour
)

// heal restarts a sick instance: once until it was well again, and not more often
// than the quota allows. Beyond that its state is only told.
func (i *instance) heal(why string) bool {
	now := i.s.now()
	i.mu.Lock()
	p, allowed := i.running, !i.healed && i.record.Spec.Component.Restart != "never"
	recent := i.status.Heals[:0:0]
	for _, t := range i.status.Heals {
		if now.Sub(t) < healPeriod {
			recent = append(recent, t)
		}
	}
	healing := allowed && p != nil && len(recent) < healQuota
	if healing {
		i.healed, i.healing = true, true
	}
	c, image := i.record.Spec.Component, i.record.Image
	i.mu.Unlock()
	if !healing {
		return false
	}
	i.s.doors.refresh()
	i.change(func(s *state.Status) { s.Heals = append(recent, now.UTC()) })
	i.s.logf("instance %s is restarted (%d of %d in 24 h): %s", i.place.Name(), len(recent)+1, healQuota, why)
	grace, err := engine.ParseDuration("stop_grace_period", c.StopGracePeriod, 10*time.Second)
	if err != nil {
		grace = 10 * time.Second
	}
	_ = p.Signal(SignalNumber(first(c.StopSignal, image.StopSignal), unix.SIGTERM))
	go func() {
		<-i.s.after(grace)
		_ = p.Kill() // an ended process answers that it ended
	}()
	return true
}

// again reports whether the life goes on after an end with the code.
func (i *instance) again(code int) bool {
	i.mu.Lock()
	healing := i.healing
	i.healing = false
	i.mu.Unlock()
	return !i.quitting() && (healing || restarts(i.record.Spec.Component.Restart, code))
}

// healthMessage adds what was done about an anomaly.
func healthMessage(v verdict, heals int) string {
	if heals == 0 || v.message == "" {
		return v.message
	}
	return fmt.Sprintf("%s; restarted for it %d of %d times in 24 h", v.message, heals, healQuota)
}

package healthtest_test

import (
	"context"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health/healthtest"
)

// TestClockDrivesAGate holds an instance for an hour without waiting for it.
func TestClockDrivesAGate(t *testing.T) {
	clock := healthtest.NewClock()
	start := clock.Now()
	done := make(chan error, 1)
	go func() {
		done <- health.Gate{Clock: clock, MinHealthy: time.Hour}.Wait(t.Context(), health.GateInput{
			Alive: func(context.Context) (health.Liveness, error) { return health.Liveness{Running: true}, nil },
		})
		clock.NewTimer(time.Minute) // lets the loop below see the end
	}()
	for {
		clock.Advance(clock.Next())
		select {
		case err := <-done:
			if held := clock.Now().Sub(start); err != nil || held < time.Hour || held > time.Hour+2*time.Minute {
				t.Errorf("held for %v: %v", held, err)
			}
			return
		default:
		}
	}
}

func TestTimers(t *testing.T) {
	clock := healthtest.NewClock()
	stopped, soon, late := clock.NewTimer(time.Second), clock.NewTimer(2*time.Second), clock.NewTimer(time.Minute)
	if !stopped.Stop() || stopped.Stop() {
		t.Error("a pending timer can be stopped once")
	}
	if next := clock.Next(); next != 2*time.Second {
		t.Errorf("next is in %v", next)
	}
	clock.Advance(2 * time.Second)
	select {
	case at := <-soon.C():
		if !at.Equal(clock.Now()) {
			t.Errorf("fired at %v, the clock shows %v", at, clock.Now())
		}
	default:
		t.Error("a timer that is due did not fire")
	}
	if soon.Stop() {
		t.Error("a fired timer cannot be stopped")
	}
	if next := clock.Next(); next != 58*time.Second {
		t.Errorf("next is in %v", next)
	}
	select {
	case <-stopped.C():
		t.Error("a stopped timer fired")
	case <-late.C():
		t.Error("a timer fired early")
	case <-clock.NewTimer(0).C():
	}
}

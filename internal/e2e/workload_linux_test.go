package e2e

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
)

// TestKilledWorkload kills a program: its supervisor starts it again, and the
// restart is visible without being a change.
func TestKilledWorkload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop)
	w.apply()
	url, before, db := w.text("url"), w.pidOf("api"), w.pidOf("db")
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, patience, func() error {
		for name, all := range w.census().instances {
			if componentOf(name) == "api" && all[0].pid != before {
				_, err := get(url)
				return err
			}
		}
		return errors.New("api was not started again")
	})
	answers(t, url, "1.0.0")
	if now := w.pidOf("db"); now != db {
		t.Errorf("db was touched: process %d before, %d now", db, now)
	}

	w.apply()
	var instances map[string]struct{ Ready, Replicas, Restarts int }
	w.attribute("slipway_deployment.shop", "instances", &instances)
	if got := fmt.Sprint(instances); got != "map[api:{1 1 1} db:{1 1 0}]" {
		t.Errorf("instances (ready, replicas, restarts): %s, want one restart of api", got)
	}
	w.expectSettled(both)
	w.nothingToDo()
}

package e2e

import (
	"errors"
	"testing"
)

// TestKilledRepair kills the provider while it repairs what a killed supervisor
// left: after it has started the instances, before traffic reaches them.
func TestKilledRepair(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop)
	w.apply()
	url := w.text("url")
	if err := w.killSupervisor(); err != nil {
		t.Fatal(err)
	}
	repair := w.start(applyArgs...)
	until(t, patience, func() error {
		if len(w.census().instances) < 2 {
			return errors.New("the instances do not run yet")
		}
		return nil
	})
	kill(w.census().providers)
	if ended := repair.wait(); ended.code == 0 {
		t.Log("the repair was quicker than its end")
	}
	w.apply()
	w.expectSettled(both)
	answers(t, url, "1.0.0")
	w.nothingToDo()
}

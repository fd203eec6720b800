package e2e

import (
	"errors"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait: what takes longer hangs.
const patience = time.Minute

// TestInterruptRestores presses Ctrl-C in a rollout that would never end: the
// old version goes on, and answers all the time where its port stays.
func TestInterruptRestores(t *testing.T) { everywhere(t, interruptRestores) }

func interruptRestores(t *testing.T, on nodeKind) {
	w := on.newWorld(t, shop)
	w.apply()
	url := w.text("url")
	before := w.pidOf("api")

	w.set("release", "sick")
	w.set("deadline", "10m")
	visits := visit(url, "1.0.0")
	r := w.interruptWhenNew(t)
	if met := visits(); met.good == 0 || len(met.bad) > 0 && !on.hops {
		t.Errorf("visitors met %d good answers, and %q", met.good, met.bad)
	}
	expectSaid(t, r.said, "Update deployment: rollout failed")
	w.expectSettled(both)
	answers(t, url, "1.0.0")
	if now := w.pidOf("api"); now != before && !on.hops {
		t.Errorf("the old api was not left alone: process %d before, %d now", before, now)
	}

	w.set("release", "1.1.0")
	w.apply()
	w.expectSettled(both)
	answers(t, w.text("url"), "1.1.0")
	w.nothingToDo()
}

// TestInterruptOfAFirstDeployment leaves nothing on the node.
func TestInterruptOfAFirstDeployment(t *testing.T) { everywhere(t, interruptFirst) }

func interruptFirst(t *testing.T, on nodeKind) {
	w := on.newWorld(t, shop)
	w.set("release", "sick")
	w.set("deadline", "10m")
	w.interrupt(t, w.start(applyArgs...), func() error {
		if w.census().instances["api-1-1"] == nil {
			return errors.New("api does not run yet")
		}
		return nil
	})
	w.expectNothingLeft()
	if state := w.must("state", "list"); strings.Contains(state, "slipway_deployment") {
		t.Errorf("the state has a deployment:\n%s", state)
	}

	w.set("release", "1.0.0")
	w.apply()
	w.expectSettled(both)
	answers(t, w.text("url"), "1.0.0")
}

// interruptWhenNew applies, and interrupts when the new api runs.
func (w *world) interruptWhenNew(t *testing.T) result {
	t.Helper()
	return w.interrupt(t, w.start(applyArgs...), func() error {
		if w.census().instances["api-2-1"] == nil {
			return errors.New("the new api does not run yet")
		}
		return nil
	})
}

// interrupt sends what Ctrl-C sends, to the whole process group, as soon as the
// moment has come, and demands that the run fails soon.
func (w *world) interrupt(t *testing.T, r *running, moment func() error) result {
	t.Helper()
	until(t, patience, moment)
	if err := syscall.Kill(-r.cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-r.done:
	case <-time.After(patience):
		_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
		t.Fatalf("the interrupted apply did not end within %s:\n%s", patience, r.said.String())
	}
	ended := r.wait()
	if ended.code != 1 {
		t.Errorf("the interrupted apply ended with %d:\n%s", ended.code, ended.said)
	}
	return ended
}

// visitors are what requests met, one after the other.
type visitors struct {
	good int
	bad  []string
}

// visit asks for the page until the function that it gives is called; an answer
// other than wanted is a bad one.
func visit(url, wanted string) (stop func() visitors) {
	var met visitors
	quit := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			select {
			case <-quit:
				return
			default:
			}
			page, err := get(url)
			switch {
			case err != nil:
				met.bad = append(met.bad, err.Error())
			case page != wanted:
				met.bad = append(met.bad, page)
			default:
				met.good++
			}
		}
	})
	return func() visitors {
		close(quit)
		wait.Wait()
		return met
	}
}

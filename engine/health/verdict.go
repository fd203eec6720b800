package health

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// look reports whether the instance is up. An end is a *Failure, or errEndedWell.
func (w *wait) look(ctx context.Context) (up bool, err error) {
	now, err := w.Alive(ctx)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case errors.Is(err, engine.ErrNotFound):
		return false, w.ended(Failure{Message: "the instance is gone"})
	case err != nil:
		w.last = Failure{Message: "the instance cannot be looked at: " + err.Error()}
		return false, nil
	case now.Running && now.Restarts <= w.Restarts:
		w.ran = true
		return true, nil
	case now.Error != "":
		return false, w.ended(Failure{Message: "the process could not be started: " + now.Error})
	case now.ExitCode < 0 && now.Restarts <= w.Restarts && !w.ran && w.age() < startPatience:
		return false, nil // not started yet
	case w.RestartNever && now.ExitCode == 0 && !now.OOMKilled && !now.Running:
		return false, errEndedWell
	}
	f := Failure{Message: w.obituary(now), OOMKilled: now.OOMKilled}
	if now.ExitCode >= 0 {
		f.ExitCode = &now.ExitCode
	}
	return false, w.ended(f)
}

// age is the time since the wait began.
func (w *wait) age() time.Duration { return w.clock.Now().Sub(w.started) }

// ended adds the phase in which the instance ended.
func (w *wait) ended(f Failure) error {
	f.Phase = engine.PhaseStart
	if w.announced {
		f.Phase = engine.PhaseStabilise
	}
	return &f
}

func (w *wait) obituary(now Liveness) string {
	how := fmt.Sprintf("ended with exit code %d", now.ExitCode)
	switch {
	case now.OOMKilled:
		how = "was killed because it ran out of memory"
	case now.ExitCode < 0 && !w.ran:
		how = "did not start"
	case now.ExitCode < 0:
		how = "is lost"
	}
	if now.Restarts > w.Restarts {
		how += " and was started again"
	}
	return fmt.Sprintf("the process %s after %s", how, w.age().Round(time.Millisecond))
}

// late is the verdict of the deadline.
func (w *wait) late() *Failure {
	f := w.last
	if f == (Failure{}) && len(w.names) > 0 && !w.announced {
		f = Failure{Check: w.names[0], Message: "no probe ended before"}
	}
	f.Phase = engine.PhaseCheck
	if w.announced {
		f.Phase = engine.PhaseStabilise
	}
	verdict := "not healthy in time"
	if w.ProgressDeadline > 0 {
		verdict = fmt.Sprintf("not healthy within %s", w.ProgressDeadline)
	}
	if f.Message == "" && w.announced {
		verdict += ": all checks passed, but not for long enough"
	}
	f.Message = strings.TrimSuffix(verdict+": "+f.Message, ": ")
	return &f
}

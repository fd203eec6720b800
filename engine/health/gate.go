package health

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// MinHoldWithoutChecks is the shortest time that a component without checks must
// stay up to count as healthy, however short the gate's MinHealthy is: running
// for an instant proves nothing.
const MinHoldWithoutChecks = time.Second

// livenessWait is how often the instance is looked at while probes take long.
const livenessWait = 250 * time.Millisecond

// startPatience is how long an instance may take until it runs for the first time.
const startPatience = 5 * time.Second

// Gate lets new instances pass once they proved healthy.
type Gate struct {
	Clock      Clock
	MinHealthy time.Duration // how long all checks must stay ok after they first passed
}

// GateInput is one instance before the gate.
type GateInput struct {
	Target Target
	Checks map[string]engine.HealthCheck // only those with OnDeploy count
	Ports  map[string]engine.Port        // of the component

	// Alive looks at the instance. engine.ErrNotFound means that it is gone,
	// which is a verdict; after any other error it is asked again.
	Alive func(ctx context.Context) (Liveness, error)
	// Events wakes the gate up to look again; it may be nil or be closed.
	Events <-chan struct{}
	// Healthy is called once, when all checks first passed together; for a
	// component without checks when it stayed up long enough. It may be nil.
	Healthy func()

	// RestartNever: the component is a job (restart never or on_failure), for
	// which an end with 0 is success.
	RestartNever bool
	// MustEnd: the job has to end before the gate opens, so that what depends
	// on it finds its work done.
	MustEnd bool
	// Restarts that the instance had before it was started for this gate.
	Restarts int
	// ProgressDeadline is only said in messages; ctx enforces it.
	ProgressDeadline time.Duration
}

// Liveness is what a process is doing.
type Liveness struct {
	Running   bool
	Restarts  int // times it was started again by itself
	ExitCode  int // of the last end, -1 when it never ended: see Wait
	OOMKilled bool
	Error     string // why it could not be started or is lost, ""; without Running a verdict
}

// Failure is the verdict on an instance that did not pass.
type Failure struct {
	Phase     engine.Phase // start: ended before it was healthy; check: not healthy in time; stabilise: lost its health again
	Check     string       // name of the failing check, "" when none
	Message   string
	ExitCode  *int // of the instance, nil when it did not end
	OOMKilled bool
}

// Error implements error.
func (f *Failure) Error() string {
	if f.Check != "" {
		return fmt.Sprintf("check %q: %s", f.Check, f.Message)
	}
	return f.Message
}

// Wait returns nil once every check has passed and all have stayed ok for
// MinHealthy, probing at once and then with Backoff. A failing probe only starts
// that time again, also during a check's start period; an instance that ends or
// is restarted fails at once, however slow its probes are. A component without
// checks must stay up for MinHealthy, and at least MinHoldWithoutChecks. One that
// has neither run nor ended yet gets 5 s to start.
//
// The error is a *Failure, also when the deadline of ctx passes; when ctx is
// cancelled it is the context's error.
func (g Gate) Wait(ctx context.Context, in GateInput) error {
	w := newWait(g, in)
	for {
		if done, err := w.round(ctx); done || err != nil {
			return w.conclude(ctx, err)
		}
		if err := w.pause(ctx); err != nil {
			return w.conclude(ctx, err)
		}
	}
}

// errEndedWell ends the wait for a job that is done.
var errEndedWell = errors.New("the job ended with 0")

// conclude turns what ended the wait into what Wait promises.
func (w *wait) conclude(ctx context.Context, err error) error {
	var verdict *Failure
	switch {
	case err == nil || errors.Is(err, errEndedWell):
		w.announce()
		return nil
	case errors.As(err, &verdict):
		return verdict
	case errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return w.late()
	}
	return err
}

package rollout

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
)

const (
	// maxOvertime bounds how long a failed rollout waits for a node on which
	// something was stopped: when it gives up, that stays stopped.
	maxOvertime = 5 * time.Minute
	// knock is how soon a node that is away is asked again.
	knock = time.Second
)

// awaitNode waits until the node can be told what to do. A rollout that waited
// for it in vain (see steady.Driver) waits as long again where old instances were
// stopped to make room: nothing but this run would start them. That ends at once
// when the run is cancelled; one that was cancelled before gives a node that is
// just being restarted a moment.
func (r *run) awaitNode(cancellable context.Context) error {
	err := r.ask(cancellable)
	if err == nil || len(r.stopped) == 0 {
		return err
	}
	overtime := min(r.in.Strategy.ProgressDeadline, maxOvertime)
	ctx, cancel := health.WithTimeout(cancellable, r.Clock, overtime)
	defer cancel()
	r.Log.WarnContext(ctx, "waiting for the node, to start again what was stopped", "instances", r.stoppedNames(), "at_most", overtime.String())
	for {
		timer := r.Clock.NewTimer(knock)
		select {
		case <-timer.C():
		case <-ctx.Done():
			timer.Stop()
			return err
		}
		_, now := r.Driver.Info(ctx)
		switch {
		case now == nil:
			return nil
		case ctx.Err() == nil:
			err = now
		}
	}
}

// ask asks the node whether it is there, as patiently as it was asked for all else.
func (r *run) ask(cancellable context.Context) error {
	ctx, cancel := health.WithTimeout(context.WithoutCancel(cancellable), r.Clock, restoreTimeout)
	defer cancel()
	stop := context.AfterFunc(cancellable, func() {
		soon, end := health.WithTimeout(ctx, r.Clock, quickly)
		defer end()
		<-soon.Done()
		cancel()
	})
	defer stop()
	_, err := r.Driver.Info(ctx)
	return err
}

// outOfReach tells what is known of the prior revision when nothing can be done
// for it now.
func (r *run) outOfReach(err error) string {
	state := "none of its instances was stopped"
	if len(r.stopped) > 0 {
		state = "its instances " + strings.Join(r.stoppedNames(), ", ") + " were stopped to make room and could not be started again"
	}
	return fmt.Sprintf("version %s is the last that succeeded; %s, since the node does not answer (%v). Once it does, apply again: that starts what is missing and removes what the failed revision left",
		r.in.Prior.Version, state, err)
}

func (r *run) stoppedNames() []string {
	var names []string
	for _, old := range r.stopped {
		names = append(names, old.key.Name)
	}
	slices.Sort(names)
	return names
}

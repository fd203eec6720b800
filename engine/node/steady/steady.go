// Package steady makes a driver that stands the silences of its node. Every
// method of node.Driver may be called again, so a call that got no answer is
// repeated once the node is back, and no call waits for a node that hangs.
package steady

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

const (
	// DefaultSilence is how long a call goes without an answer before the node is
	// asked whether it is there, and how long it may take to say so.
	DefaultSilence = 10 * time.Second
	// again is how soon a node that was silent is called again.
	again = 500 * time.Millisecond
	// faults is how often a call that failed inside the node is repeated, each
	// time after twice the wait: a runtime that stops is gone by then.
	faults = 3
)

// Options of a Driver; the zero value of each field means its default.
type Options struct {
	Node    string // its id, for messages
	Silence time.Duration
	Log     *slog.Logger
	Now     func() time.Time
	After   func(time.Duration) <-chan time.Time
}

// Driver is a node.Driver whose calls end, also when the node hangs.
type Driver struct {
	node.Driver
	options  Options
	patience time.Duration // how long a node may be silent before a call gives up

	mu    *sync.Mutex
	since time.Time // of the first call without an answer, zero while it answers
	hung  time.Time // when patience with a node that hangs was at its end, zero before
}

var _ node.Driver = (*Driver)(nil)

// New wraps a driver. It gives up at the first silence; see Patient.
func New(d node.Driver, o Options) *Driver {
	if o.Silence == 0 {
		o.Silence = DefaultSilence
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	return &Driver{Driver: d, options: o, mu: &sync.Mutex{}}
}

// Patient answers the same driver, whose calls wait that long, together, for a
// node that went away to come back. What only looks at one instance (Inspect,
// Exec, Dial, Logs) still answers at once: who looks there looks again anyway.
func (d *Driver) Patient(patience time.Duration) *Driver {
	return &Driver{Driver: d.Driver, options: d.options, patience: patience, mu: &sync.Mutex{}}
}

// insist repeats the call until the node answers or patience is at its end. What
// fails inside the node is tried a few times more.
func (d *Driver) insist(ctx context.Context, call func(context.Context) error) error {
	for fault := 0; ; {
		err := d.attend(ctx, call)
		waited, goOn := d.heard(ctx, err)
		wait := again
		if errors.Is(err, node.ErrInternal) && fault < faults && d.patience > 0 {
			wait, goOn = again<<fault, true
			fault++
		}
		if !goOn {
			return afterWaiting(err, waited)
		}
		select {
		case <-d.options.After(wait):
		case <-ctx.Done():
			return err
		}
	}
}

// heard keeps the time since when the node is silent; goOn says that the call is
// to be repeated.
func (d *Driver) heard(ctx context.Context, err error) (waited time.Duration, goOn bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !errors.Is(err, node.ErrUnreachable) {
		if err == nil && !d.since.IsZero() {
			d.options.Log.InfoContext(ctx, "the node answers again", "after", d.options.Now().Sub(d.since).String())
		}
		d.since = time.Time{}
		return 0, false
	}
	if d.since.IsZero() {
		d.since = d.options.Now()
		d.options.Log.WarnContext(ctx, "the node does not answer", "waiting", d.patience.String(), "error", err.Error())
	}
	waited = d.options.Now().Sub(d.since)
	if goOn = d.patience > 0 && waited < d.patience && ctx.Err() == nil; !goOn && errors.Is(err, errHangs) {
		d.hung = d.options.Now()
	}
	return waited, goOn
}

// hopeless reports whether the node was just given up because it hangs. What a
// rollout still wants of it then, to clean up, would hang as long each time.
func (d *Driver) hopeless() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.hung.IsZero() && d.options.Now().Sub(d.hung) < d.options.Silence
}

// afterWaiting adds to the error how long the node was waited for.
func afterWaiting(err error, waited time.Duration) error {
	var known *engine.Error
	if waited < time.Second || !errors.As(err, &known) {
		return err
	}
	told := *known
	told.Reason += fmt.Sprintf(" (waited %s for it)", waited.Round(time.Second))
	return &told
}

// attend makes a call that ends when the node does not even answer the question
// whether it is there. A call that takes long on a node that does goes on.
func (d *Driver) attend(ctx context.Context, call func(context.Context) error) error {
	if d.hopeless() {
		return d.hangs()
	}
	watched, hangUp := context.WithCancelCause(ctx)
	defer hangUp(nil)
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case <-d.options.After(d.options.Silence):
			case <-ended:
				return
			}
			if _, err := d.ask(watched); errors.Is(err, node.ErrUnreachable) {
				hangUp(err)
				return
			}
		}
	}()
	err := call(watched)
	close(ended)
	if cause := context.Cause(watched); err != nil && errors.Is(cause, node.ErrUnreachable) {
		return cause
	}
	return err
}

// ask finds out whether the node is there, and what it is.
func (d *Driver) ask(ctx context.Context) (node.Info, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var info node.Info
	answered := make(chan error, 1)
	go func() {
		var err error
		info, err = d.Driver.Info(ctx)
		answered <- err
	}()
	select {
	case err := <-answered:
		return info, err
	case <-d.options.After(d.options.Silence):
		return node.Info{}, d.hangs()
	}
}

// errHangs is the node.ErrUnreachable of a node that takes calls and answers none.
var errHangs = fmt.Errorf("%w: it hangs", node.ErrUnreachable)

func (d *Driver) hangs() error {
	return &engine.Error{
		Class:  errHangs,
		Reason: fmt.Sprintf("node %s hangs: it takes calls and gives no answer for %s", d.options.Node, d.options.Silence),
		Hint:   "look at the node's load, its disk and the log of its runtime; restart the runtime if it stays so",
	}
}

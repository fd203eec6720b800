package steady_test

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/steady"
)

// flaky is a node whose calls do what they are told.
type flaky struct {
	node.Driver
	calls int
	pull  func(ctx context.Context, call int) error
	info  func(ctx context.Context) error
}

func (f *flaky) Pull(ctx context.Context, _ node.Image) error {
	f.calls++
	return f.pull(ctx, f.calls)
}

func (f *flaky) Info(ctx context.Context) (node.Info, error) {
	if f.info == nil {
		return node.Info{}, nil
	}
	return node.Info{}, f.info(ctx)
}

var (
	away   = &engine.Error{Class: node.ErrUnreachable, Reason: "nobody is there", Hint: "start it"}
	faulty = &engine.Error{Class: node.ErrInternal, Reason: "database not open"}
)

// hang waits for the end of its context.
func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func always(err error) func(context.Context, int) error {
	return func(context.Context, int) error { return err }
}

func TestCallsStandSilences(t *testing.T) {
	for name, test := range map[string]struct {
		patience time.Duration
		pull     func(ctx context.Context, call int) error
		info     func(ctx context.Context) error
		class    error // nil = the call succeeds
		text     string
		calls    int
		took     time.Duration
	}{
		"answers":         {patience: time.Minute, pull: always(nil), calls: 1},
		"comes back":      {patience: time.Minute, pull: backAt(3), calls: 3, took: time.Second},
		"stays away":      {patience: time.Minute, pull: always(away), class: node.ErrUnreachable, text: "nobody is there (waited 1m0s for it)", calls: 121, took: time.Minute},
		"no patience":     {pull: always(away), class: node.ErrUnreachable, text: "nobody is there", calls: 1},
		"refuses":         {patience: time.Minute, pull: always(engine.Conflict("taken", "")), class: engine.ErrConflict, calls: 1},
		"dies":            {patience: time.Minute, pull: always(faulty), class: node.ErrInternal, text: "database not open", calls: 4, took: 3500 * time.Millisecond},
		"dies, impatient": {pull: always(faulty), class: node.ErrInternal, calls: 1},
		"hangs":           {pull: func(ctx context.Context, _ int) error { return hang(ctx) }, info: hang, class: node.ErrUnreachable, text: "node acme/there hangs", calls: 1, took: 2 * steady.DefaultSilence},
		"hangs, then not": {
			patience: time.Minute, info: hang, calls: 2, took: 2*steady.DefaultSilence + 500*time.Millisecond,
			pull: func(ctx context.Context, call int) error {
				if call > 1 {
					return nil
				}
				return hang(ctx)
			},
		},
		"takes long": {calls: 1, took: time.Hour, pull: func(ctx context.Context, _ int) error {
			select {
			case <-time.After(time.Hour):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, began := &flaky{pull: test.pull, info: test.info}, time.Now()
				d := steady.New(f, steady.Options{Node: "acme/there"})
				if test.patience > 0 {
					d = d.Patient(test.patience)
				}
				err := d.Pull(t.Context(), node.Image{})
				if !errors.Is(err, test.class) || test.class != nil && !strings.Contains(err.Error(), test.text) {
					t.Errorf("it answers %v, want %v: %s", err, test.class, test.text)
				}
				if took := time.Since(began); f.calls != test.calls || took != test.took {
					t.Errorf("%d calls in %s, want %d in %s", f.calls, took, test.calls, test.took)
				}
			})
		})
	}
}

// backAt answers from that call on.
func backAt(n int) func(context.Context, int) error {
	return func(_ context.Context, call int) error {
		if call < n {
			return away
		}
		return nil
	}
}

// Patience is one for all calls: what comes after one that gave up gives up at once.
func TestPatienceIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{pull: always(away)}
		d := steady.New(f, steady.Options{}).Patient(time.Minute)
		first := d.Pull(t.Context(), node.Image{})
		began := time.Now()
		second := d.Pull(t.Context(), node.Image{})
		if !errors.Is(first, node.ErrUnreachable) || !errors.Is(second, node.ErrUnreachable) || time.Since(began) > 0 {
			t.Errorf("first %v, then %v after %s", first, second, time.Since(began))
		}
		f.pull = always(nil)
		if err := d.Pull(t.Context(), node.Image{}); err != nil {
			t.Error(err)
		}
		f.calls, f.pull = 0, backAt(2)
		if err := d.Pull(t.Context(), node.Image{}); err != nil {
			t.Errorf("a node that answered is waited for again: %v", err)
		}
	})
}

// What is still wanted of a node that was given up because it hangs fails at once;
// a while later it is asked again.
func TestHangIsNotWaitedForAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{pull: func(ctx context.Context, _ int) error { return hang(ctx) }, info: hang}
		d := steady.New(f, steady.Options{Node: "acme/there"}).Patient(time.Second)
		first := d.Pull(t.Context(), node.Image{})
		began := time.Now()
		for range 5 {
			if err := d.Pull(t.Context(), node.Image{}); !errors.Is(err, node.ErrUnreachable) {
				t.Errorf("then %v", err)
			}
		}
		if took := time.Since(began); !errors.Is(first, node.ErrUnreachable) || took != 0 {
			t.Errorf("first %v, and the next took %s", first, took)
		}
		<-time.After(steady.DefaultSilence)
		f.pull, f.info = always(nil), nil
		if err := d.Pull(t.Context(), node.Image{}); err != nil {
			t.Errorf("when it answers again: %v", err)
		}
	})
}

func TestCancelEndsPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		err := steady.New(&flaky{pull: always(away)}, steady.Options{}).Patient(time.Hour).Pull(ctx, node.Image{})
		if !errors.Is(err, node.ErrUnreachable) || time.Since(began) != 10*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// A method that a driver gets later does not go past the guard unseen. What is
// pure, or streams for as long as its reader likes, does.
func TestEveryCallIsGuarded(t *testing.T) {
	unguarded := []string{"Check", "Close", "Dial", "Watch"}
	guarded := reflect.TypeFor[*steady.Driver]()
	for method := range reflect.TypeFor[node.Driver]().Methods() {
		made, _ := guarded.MethodByName(method.Name)
		file, _ := runtime.FuncForPC(made.Func.Pointer()).FileLine(made.Func.Pointer())
		if promoted := file == "<autogenerated>"; promoted != slices.Contains(unguarded, method.Name) {
			t.Errorf("%s goes past the guard: %v", method.Name, promoted)
		}
	}
}

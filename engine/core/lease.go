package core

import (
	"context"
	"errors"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// A lease is renewed three times before it lapses, so one slow write loses
// nothing; a killed owner on this host is recognised at once, one elsewhere
// after leaseTTL.
const (
	leaseTTL   = 30 * time.Second
	leaseRenew = leaseTTL / 3
	leasePoll  = 200 * time.Millisecond
)

func leaseOf(deployment string) string { return "deployment " + deployment }

// hold takes the deployment for one operation.
func (e *Engine) hold(ctx context.Context, deployment string) (held context.Context, release func(), err error) {
	return e.holdLease(ctx, leaseOf(deployment))
}

// holdLease takes what the key names, waiting while another operation has it. The
// context it answers ends when the lease is lost; release ends both.
func (e *Engine) holdLease(ctx context.Context, key string) (held context.Context, release func(), err error) {
	owner := store.ThisProcess()
	if err := e.wait(ctx, key, owner); err != nil {
		return nil, nil, err
	}
	held, cancel := context.WithCancelCause(ctx)
	stopped := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.renew(held, key, owner, stopped, cancel)
	}()
	return held, func() {
		close(stopped)
		<-done
		cancel(nil)
		if err := e.store.ReleaseLease(context.WithoutCancel(ctx), key, owner); err != nil {
			e.log.WarnContext(ctx, "release lease", "key", key, "error", err.Error())
		}
	}, nil
}

// wait takes the lease when nobody has it; when ctx ends before, it answers who has.
func (e *Engine) wait(ctx context.Context, key string, owner store.LeaseOwner) error {
	var busy error
	for {
		err := e.store.AcquireLease(ctx, key, owner, leaseTTL)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, engine.ErrBusy):
			busy = err
		case busy != nil && ctx.Err() != nil:
			return busy // the time ran out while the store was asked
		default:
			return err
		}
		select {
		case <-ctx.Done():
			return busy
		case <-e.after(leasePoll):
		}
	}
}

// renew goes on while a cancelled rollout puts things back; only the loss of
// the lease itself ends it early.
func (e *Engine) renew(ctx context.Context, key string, owner store.LeaseOwner, stopped <-chan struct{}, lost context.CancelCauseFunc) {
	for {
		select {
		case <-stopped:
			return
		case <-e.after(leaseRenew):
		}
		err := e.store.RenewLease(context.WithoutCancel(ctx), key, owner, leaseTTL)
		if errors.Is(err, engine.ErrBusy) || errors.Is(err, engine.ErrConflict) {
			lost(err)
			return
		}
	}
}

package store_test

import (
	"bufio"
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

const leaseTime = time.Minute

// clock is moved by hand.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func TestLease(t *testing.T) {
	ctx, c := context.Background(), newClock()
	dead := map[string]bool{}
	s := openWith(t, filepath.Join(t.TempDir(), store.FileName), store.Options{
		Now: c.now, Alive: func(o store.LeaseOwner) bool { return !dead[o.ID] },
	})
	const key = "deployment acme/production/shop"
	a := store.LeaseOwner{ID: "a", PID: 11, Host: "h1"}
	b := store.LeaseOwner{ID: "b", PID: 22, Host: "h2"}

	_, err := s.Lease(ctx, key)
	refused(t, err, engine.ErrNotFound)
	ok(t, s.AcquireLease(ctx, key, a, leaseTime))
	refused(t, s.AcquireLease(ctx, key, b, leaseTime), engine.ErrBusy, key, "process 11", `"h1"`, "2026-01-02T03:04:05Z", "2026-01-02T03:05:05Z")
	ok(t, s.AcquireLease(ctx, "another key", b, leaseTime))
	refused(t, s.RenewLease(ctx, key, b, leaseTime), engine.ErrBusy, "process 11")
	ok(t, s.ReleaseLease(ctx, key, b)) // not b's: stays a's

	c.pass(50 * time.Second)
	ok(t, s.RenewLease(ctx, key, a, leaseTime))
	c.pass(50 * time.Second)
	refused(t, s.AcquireLease(ctx, key, b, leaseTime), engine.ErrBusy)
	ok(t, s.AcquireLease(ctx, key, a, leaseTime)) // again by the same owner
	if l := must[store.Lease](t)(s.Lease(ctx, key)); l.Owner != a || !l.Acquired.Equal(newClock().t) || !l.Expires.Equal(c.now().Add(leaseTime)) {
		t.Errorf("the lease is %+v", l)
	}

	c.pass(leaseTime)
	ok(t, s.AcquireLease(ctx, key, b, leaseTime)) // expired
	refused(t, s.RenewLease(ctx, key, a, leaseTime), engine.ErrBusy, "process 22")

	dead["b"] = true
	ok(t, s.AcquireLease(ctx, key, a, leaseTime)) // its process is gone
	ok(t, s.ReleaseLease(ctx, key, a))
	refused(t, s.RenewLease(ctx, key, a, leaseTime), engine.ErrConflict, "given up")
	ok(t, s.ReleaseLease(ctx, key, a))
	ok(t, s.AcquireLease(ctx, key, b, leaseTime))
}

func TestLeaseExcludes(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), store.FileName)
	handles := []*store.Store{openAt(t, path), openAt(t, path)}
	var holding, most, took atomic.Int32
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			s, owner := handles[i%2], store.ThisProcess()
			for {
				if s.AcquireLease(ctx, "k", owner, leaseTime) == nil {
					break
				}
			}
			if n := holding.Add(1); n > 1 {
				most.Store(n)
			}
			took.Add(1)
			holding.Add(-1)
			if err := s.ReleaseLease(ctx, "k", owner); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() != 0 || took.Load() != 10 {
		t.Errorf("%d held the lease at once, %d of 10 got it", most.Load(), took.Load())
	}
}

// TestLeaseOfAKilledProcess uses what the real host tells.
func TestLeaseOfAKilledProcess(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), store.FileName)
	s := openAt(t, path)
	c := child(t, "lease", path, "k")
	in, err := c.StdinPipe()
	ok(t, err)
	defer in.Close()
	out, err := c.StdoutPipe()
	ok(t, err)
	ok(t, c.Start())
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("the child says %q, %v", line, err)
	}
	refused(t, s.AcquireLease(ctx, "k", store.ThisProcess(), leaseTime), engine.ErrBusy, fmt.Sprintf("process %d", c.Process.Pid))
	ok(t, c.Process.Kill())
	_ = c.Wait() // killed
	ok(t, s.AcquireLease(ctx, "k", store.ThisProcess(), leaseTime))
}

func TestTwoOwnersInOneProcess(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	ok(t, s.AcquireLease(ctx, "k", store.ThisProcess(), leaseTime))
	refused(t, s.AcquireLease(ctx, "k", store.ThisProcess(), leaseTime), engine.ErrBusy)
}

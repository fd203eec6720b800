package network

import (
	"context"
	"net/netip"
	"slices"
	"sync"
)

// Backend is an instance that takes the traffic of a published port.
type Backend struct {
	Instance string
	Addr     netip.AddrPort
	Header   bool // a connection begins with a PROXY header, version 2
}

// table is where a published port leads to. It is keyed by instance: addresses
// are used again.
type table struct {
	mu       sync.Mutex
	backends []Backend
	next     int
	open     map[string]map[*lease]struct{} // by instance, also those that left the backends
	changed  chan struct{}                  // closed when an instance's last lease ends
}

// lease is one connection or flow to an instance, from before it is dialled.
type lease struct {
	Backend
	cut   context.CancelFunc
	table *table
}

func newTable() *table {
	return &table{open: map[string]map[*lease]struct{}{}, changed: make(chan struct{})}
}

func (t *table) set(backends []Backend) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.backends = slices.Clone(backends)
}

// serves reports whether the instance takes new connections at that address.
func (t *table) serves(b Backend) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Contains(t.backends, b)
}

// pick leases the next backend in turn that was not tried, nil when there is
// none; cut is called to end the lease early.
func (t *table) pick(tried map[Backend]bool, cut context.CancelFunc) *lease {
	t.mu.Lock()
	defer t.mu.Unlock()
	for range t.backends {
		b := t.backends[t.next%len(t.backends)]
		t.next = (t.next + 1) % len(t.backends)
		if tried[b] {
			continue
		}
		l := &lease{Backend: b, cut: cut, table: t}
		if t.open[b.Instance] == nil {
			t.open[b.Instance] = map[*lease]struct{}{}
		}
		t.open[b.Instance][l] = struct{}{}
		return l
	}
	return nil
}

func (l *lease) release() {
	t := l.table
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open[l.Instance], l)
	if len(t.open[l.Instance]) == 0 {
		delete(t.open, l.Instance)
		close(t.changed)
		t.changed = make(chan struct{})
	}
}

func (t *table) active(instance string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open[instance])
}

// wait waits until the instance has no lease.
func (t *table) wait(ctx context.Context, instance string) error {
	for {
		t.mu.Lock()
		open, changed := len(t.open[instance]), t.changed
		t.mu.Unlock()
		if open == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// cut ends every lease of the instance.
func (t *table) cut(instance string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for l := range t.open[instance] {
		l.cut()
	}
}

// Package core is the embedded engine: it implements engine.Service over the
// rooms below it. Every method opens nothing that outlives it but the store and
// the node drivers; several processes may run it on one data directory at once.
package core

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/secret"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// Config says where an embedded engine lives.
type Config struct {
	DataDir       string // absolute
	EncryptionKey string // age identity, "" = a key file in DataDir

	// Supervisor is the command line that starts a sandbox's supervisor on a
	// local node, without its last argument; nil = this program's "supervise".
	Supervisor []string

	// The rest has a default and is set by tests.
	Log       *slog.Logger
	Clock     health.Clock
	Images    *image.Client
	NewDriver func(engine.Node) (node.Driver, error)
	Journal   func(next Journal) Journal  // wraps the journal, to inject faults
	History   catalog.History             // how much of the past is kept
	Alive     func(store.LeaseOwner) bool // whether the process that holds a lease runs
}

// Engine is the embedded engine.
type Engine struct {
	cfg    Config
	store  *store.Store
	box    *secret.Box
	images *image.Client
	clock  health.Clock
	log    *slog.Logger
	owner  string

	mu        sync.Mutex
	run       string
	drivers   map[string]*driverEntry
	snapshots map[string]*snapshot
	claims    map[string][]catalog.Claim // of versions, by a ref with a digest: what that says never changes
}

var _ engine.Service = (*Engine)(nil)

// Open opens the engine of a data directory, and makes it when there is none.
func Open(ctx context.Context, cfg Config) (*Engine, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.History == (catalog.History{}) {
		cfg.History = catalog.KeptHistory
	}
	if cfg.Clock == nil {
		cfg.Clock = health.SystemClock{}
	}
	if cfg.Images == nil {
		cfg.Images = image.NewClient(image.Options{})
	}
	if cfg.Supervisor == nil {
		self, err := os.Executable()
		if err != nil {
			return nil, &engine.Error{Class: engine.ErrUnavailable, Reason: "cannot find this program's own file", Err: err}
		}
		cfg.Supervisor = []string{self, "supervise"}
	}
	s, err := store.Open(ctx, filepath.Join(cfg.DataDir, "slipway.db"), store.Options{Now: cfg.Clock.Now, Alive: cfg.Alive})
	if err != nil {
		return nil, err
	}
	box, err := secret.Open(cfg.DataDir, cfg.EncryptionKey)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	e := &Engine{
		cfg: cfg, store: s, box: box, images: cfg.Images, clock: cfg.Clock, log: cfg.Log,
		owner: newOwner(), drivers: map[string]*driverEntry{}, snapshots: map[string]*snapshot{}, claims: map[string][]catalog.Claim{},
	}
	if e.cfg.NewDriver == nil {
		e.cfg.NewDriver = e.newDriver
	}
	return e, nil
}

// EngineID implements engine.Service.
func (e *Engine) EngineID() string { return e.store.EngineID() }

// Close implements engine.Service.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var failed []error
	for _, d := range e.drivers {
		failed = append(failed, d.driver.Close())
	}
	return errors.Join(append(failed, e.store.Close())...)
}

// BeginRun implements engine.Service.
func (e *Engine) BeginRun(run string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.run = run
	clear(e.snapshots)
}

// Confirm implements engine.Service.
func (e *Engine) Confirm(ctx context.Context, kind engine.Kind, id string) error {
	return e.store.Confirm(ctx, kind, id)
}

// after fires once d has passed on the engine's clock.
func (e *Engine) after(d time.Duration) <-chan time.Time { return e.clock.NewTimer(d).C() }

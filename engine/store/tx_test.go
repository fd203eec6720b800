package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

func TestTxIsAllOrNothing(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	boom := errors.New("boom")
	err := s.Tx(ctx, func(tx *store.Tx) error {
		if _, err := tx.CreateTeam(ctx, engine.Team{ID: "acme"}); err != nil {
			return err
		}
		if _, err := tx.Team(ctx, "acme"); err != nil {
			t.Errorf("the transaction does not see its own write: %v", err)
		}
		if _, err := s.Team(ctx, "acme"); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("others see it before it is committed: %v", err)
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Errorf("the cause became %v", err)
	}
	_, err = s.Team(ctx, "acme")
	refused(t, err, engine.ErrNotFound)
	ok(t, s.Tx(ctx, func(tx *store.Tx) error { _, err := tx.CreateTeam(ctx, engine.Team{ID: "acme"}); return err }))
	must[engine.Team](t)(s.Team(ctx, "acme"))
}

// TestWaitingEndsWithItsContext: for the queue in this process and for the lock
// that another handle holds on the file.
func TestWaitingEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), store.FileName)
	holder := openAt(t, path)
	for name, waiter := range map[string]*store.Store{"same handle": holder, "another handle": openAt(t, path)} {
		t.Run(name, func(t *testing.T) {
			ok(t, holder.Tx(context.Background(), func(*store.Tx) error {
				ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
				defer cancel()
				began := time.Now()
				_, err := waiter.CreateTeam(ctx, engine.Team{ID: "acme"})
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("waiting ended with %v", err)
				}
				if took := time.Since(began); took > 8*time.Second { // the database itself waits for ten
					t.Errorf("it took %v to notice", took)
				}
				return nil
			}))
			_, err := waiter.Team(context.Background(), "acme")
			refused(t, err, engine.ErrNotFound)
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := store.Open(ctx, path, store.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("opening with an ended context answered %v", err)
	}
	if _, err := holder.Team(ctx, "acme"); !errors.Is(err, context.Canceled) {
		t.Errorf("reading with an ended context answered %v", err)
	}
}

// TestTheLayoutItselfRefuses goes around the methods: what they check first is
// also what the database never holds.
func TestTheLayoutItselfRefuses(t *testing.T) {
	s := openStore(t)
	shop(t, s)
	must[store.DeploymentRecord](t)(s.CreateDeployment(context.Background(), deployment("shop")))
	deploy(t, s, "acme/production/shop", "1.0.0")
	start(t, s, "acme/production/shop", "2.0.0")
	revision := `INSERT INTO revisions SELECT deployment_id, 9, status, version_id, version_ref, version, version_name, cause, reason,
		started_at, finished_at, operation_id, images, changes, config FROM revisions WHERE status = `
	for _, query := range []string{
		"DELETE FROM teams", "DELETE FROM nodes", "DELETE FROM products", "DELETE FROM environments",
		"DELETE FROM versions WHERE id = 'acme/shop/1.0.0'",
		"UPDATE nodes SET team_id = 'nobody'",
		"UPDATE versions SET parent_id = 'acme/shop/1.0.0' WHERE id = 'acme/shop/3.0.0'",
		"UPDATE versions SET number = 2",
		"UPDATE versions SET status = 'preferred'",
		"UPDATE revisions SET status = 'lost'",
		"UPDATE revisions SET status = 'successful'",
		revision + "'successful'", revision + "'in_progress'",
		"INSERT INTO operation_steps VALUES ('op_none', 1, 'n', '', 'started', 1, 0, 0, '')",
	} {
		refused(t, s.Exec(query), engine.ErrConflict)
	}
	sound(t, s)
}

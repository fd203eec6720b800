package store_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// A test that needs another process runs this binary again with these set.
const (
	childDoes = "SLIPWAY_TEST_CHILD"
	childPath = "SLIPWAY_TEST_PATH"
	childName = "SLIPWAY_TEST_NAME"
)

func TestMain(m *testing.M) {
	does := os.Getenv(childDoes)
	if does == "" {
		os.Exit(m.Run())
	}
	if err := children[does](context.Background(), os.Getenv(childPath), os.Getenv(childName)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var children = map[string]func(ctx context.Context, path, name string) error{
	"open":  childOpens,
	"crowd": childCrowds,
	"pairs": childWritesPairs,
	"next":  childMigratesAndDies,
	"lease": childTakesLease,
}

// child starts another process; its standard output is the answer.
func child(t testing.TB, does, path, name string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	ok(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childDoes+"="+does, childPath+"="+path, childName+"="+name)
	cmd.Stderr = os.Stderr
	return cmd
}

// childOpens opens the store, writes one team and tells the engine id.
func childOpens(ctx context.Context, path, name string) error {
	s, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		return err
	}
	if _, err := s.CreateTeam(ctx, engine.Team{ID: name, Name: name}); err != nil {
		return err
	}
	fmt.Print(s.EngineID())
	return s.Close()
}

const crowd, crowdWrites = 30, 4

// childCrowds writes from many goroutines at once.
func childCrowds(ctx context.Context, path, name string) error {
	s, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		return err
	}
	return crowdInto(ctx, s, name)
}

func crowdInto(ctx context.Context, s *store.Store, name string) error {
	errs := make(chan error, crowd)
	var wg sync.WaitGroup
	for g := range crowd {
		wg.Go(func() {
			for i := range crowdWrites {
				id := fmt.Sprintf("%s-%d-%d", name, g, i)
				if _, err := s.CreateTeam(ctx, engine.Team{ID: id, Name: id}); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

// childWritesPairs commits two teams at a time until it is killed, and tells
// each pair once it is on disk.
func childWritesPairs(ctx context.Context, path, name string) error {
	s, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		err := s.Tx(ctx, func(tx *store.Tx) error {
			for _, half := range []string{"a", "b"} {
				id := fmt.Sprintf("%s-%d-%s", name, i, half)
				if _, err := tx.CreateTeam(ctx, engine.Team{ID: id, Name: id}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		fmt.Printf("%s-%d\n", name, i)
	}
}

// childMigratesAndDies leaves the new layout in the log beside the file only.
func childMigratesAndDies(ctx context.Context, path, _ string) error {
	if _, err := store.Open(ctx, path, store.Options{}); err != nil {
		return err
	}
	if _, err := store.OpenNextRelease(ctx, path, nextMigration); err != nil {
		return err
	}
	return killSelf()
}

// childTakesLease takes a lease and waits to be killed.
func childTakesLease(ctx context.Context, path, name string) error {
	s, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		return err
	}
	if err := s.AcquireLease(ctx, name, store.ThisProcess(), leaseTime); err != nil {
		return err
	}
	fmt.Println("held")
	_, err = bufio.NewReader(os.Stdin).ReadString('\n')
	return err
}

// killSelf ends this process as if it had crashed; it does not return nil.
func killSelf() error {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	if err := self.Kill(); err != nil {
		return err
	}
	select {}
}

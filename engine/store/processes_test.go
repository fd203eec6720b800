package store_test

import (
	"bufio"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

func TestFirstOpenAtOnceInOneProcess(t *testing.T) {
	ctx := context.Background()
	for range 5 {
		path := filepath.Join(t.TempDir(), "new", store.FileName)
		var wg sync.WaitGroup
		ids := make([]string, 8)
		for i := range ids {
			wg.Go(func() {
				s, err := store.Open(ctx, path, store.Options{})
				if err != nil {
					t.Errorf("handle %d: %v", i, err)
					return
				}
				if _, err := s.CreateTeam(ctx, engine.Team{ID: fmt.Sprint("t", i)}); err != nil {
					t.Errorf("handle %d: %v", i, err)
				}
				ids[i] = s.EngineID()
				if err := s.Close(); err != nil {
					t.Errorf("handle %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		oneEngine(t, path, ids)
	}
}

func TestFirstOpenAtOnceInManyProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", store.FileName)
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			out, err := child(t, "open", path, fmt.Sprint("t", i)).Output()
			if err != nil {
				t.Errorf("process %d: %v", i, err)
			}
			ids[i] = string(out)
		})
	}
	wg.Wait()
	oneEngine(t, path, ids)
}

// oneEngine requires that all saw the same engine and that nobody's write is lost.
func oneEngine(t *testing.T, path string, ids []string) {
	t.Helper()
	s := openAt(t, path)
	if !strings.HasPrefix(s.EngineID(), "eng_") || len(s.EngineID()) != len("eng_")+32 {
		t.Errorf("the engine's id is %q", s.EngineID())
	}
	for i, id := range ids {
		if id != s.EngineID() {
			t.Errorf("opener %d saw the engine %q, the store is of %q", i, id, s.EngineID())
		}
		must[engine.Team](t)(s.Team(context.Background(), fmt.Sprint("t", i)))
	}
	sound(t, s)
}

func sound(t *testing.T, s *store.Store) {
	t.Helper()
	if answer := must[string](t)(s.Check()); answer != "ok" {
		t.Errorf("the file is not sound: %s", answer)
	}
}

func TestCrowdsInTwoProcessesLoseNothing(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), store.FileName)
	s := openAt(t, path)
	other := child(t, "crowd", path, "theirs")
	ok(t, other.Start())
	ok(t, crowdInto(ctx, s, "ours"))
	ok(t, other.Wait())
	if n := len(must[[]engine.Team](t)(s.ListTeams(ctx))); n != 2*crowd*crowdWrites {
		t.Errorf("%d of %d writes are there", n, 2*crowd*crowdWrites)
	}
	sound(t, s)
}

func TestKilledInMidWrite(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), store.FileName)
	told := map[string]bool{}
	for round, pairs := range []int{1, 7, 40} {
		c := child(t, "pairs", path, fmt.Sprint("r", round))
		out, err := c.StdoutPipe()
		ok(t, err)
		ok(t, c.Start())
		lines := bufio.NewScanner(out)
		for range pairs {
			if !lines.Scan() {
				t.Fatal("the writer ended by itself")
			}
			told[lines.Text()] = true
		}
		ok(t, c.Process.Kill())
		for lines.Scan() {
			told[lines.Text()] = true
		}
		_ = c.Wait() // killed
	}
	s := openAt(t, path)
	sound(t, s)
	halves := map[string]int{}
	for _, team := range must[[]engine.Team](t)(s.ListTeams(ctx)) {
		halves[team.ID[:strings.LastIndexByte(team.ID, '-')]]++
	}
	for pair := range told {
		if halves[pair] == 0 {
			t.Errorf("pair %s was committed and is lost", pair)
		}
	}
	for pair, n := range halves {
		if n != 2 {
			t.Errorf("pair %s has %d halves", pair, n)
		}
	}
	must[engine.Team](t)(s.CreateTeam(ctx, engine.Team{ID: "after"}))
}

package store_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/secret"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// nextMigration is one that no release has.
const nextMigration = "ALTER TABLE teams ADD COLUMN quota INTEGER NOT NULL DEFAULT 0;"

// layout is what messages call the newest one, or a later one.
func layout(later int) string {
	_, newest := store.MigrationFiles()
	return fmt.Sprintf("layout %d", newest+later)
}

func TestOpenMakesAPrivateStoreThatStays(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "data? #%dir", "inner", store.FileName)
	s := openAt(t, path)
	must[engine.Team](t)(s.CreateTeam(ctx, engine.Team{ID: "acme", Name: "acme"}))
	id := s.EngineID()
	for name, want := range map[string]os.FileMode{filepath.Dir(path): 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
		info, err := os.Stat(name)
		ok(t, err)
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	ok(t, s.Close())
	again := openAt(t, path)
	if again.EngineID() != id {
		t.Errorf("reopened, the engine is %q, was %q", again.EngineID(), id)
	}
	must[engine.Team](t)(again.Team(ctx, "acme"))
	if other := openStore(t); other.EngineID() == id {
		t.Error("two stores have one engine id")
	}
}

func TestLevelsAreInStep(t *testing.T) {
	names, newest := store.MigrationFiles()
	if len(names) != newest {
		t.Errorf("%d migrations lead to level %d", len(names), newest)
	}
	if level := must[int](t)(openStore(t).Level()); level != newest {
		t.Errorf("the migrations set level %d, the program knows %d", level, newest)
	}
}

func TestNewerStoreIsLeftAlone(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), store.FileName)
	ok(t, openAt(t, path).Close())
	ok(t, must[*store.Store](t)(store.OpenNextRelease(ctx, path, nextMigration)).Close())
	unchanged(t, path, func() {
		_, err := store.Open(ctx, path, store.Options{})
		refused(t, err, engine.ErrConflict, layout(1), "newer release", "Nothing was changed")
	})
}

// TestNewerStoreInItsLog is the same where the new layout was not folded into
// the file yet.
func TestNewerStoreInItsLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), store.FileName)
	if err := child(t, "next", path, "").Run(); err == nil {
		t.Fatal("the child was not killed")
	}
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() == 0 {
		t.Fatalf("there is nothing in the log: %v", err)
	}
	unchanged(t, path, func() {
		_, err := store.Open(context.Background(), path, store.Options{})
		refused(t, err, engine.ErrConflict, layout(1))
	})
}

func unchanged(t *testing.T, path string, do func()) {
	t.Helper()
	read := func(suffix string) []byte { b, _ := os.ReadFile(path + suffix); return b }
	file, log := read(""), read("-wal")
	do()
	if !bytes.Equal(file, read("")) || !bytes.Equal(log, read("-wal")) {
		t.Error("the store was changed")
	}
}

func TestLayoutThatChangesWhileOpen(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), store.FileName)
	s := openAt(t, path)
	next := must[*store.Store](t)(store.OpenNextRelease(ctx, path, nextMigration))
	defer next.Close()
	_, err := s.CreateTeam(ctx, engine.Team{ID: "late"})
	refused(t, err, engine.ErrConflict, "newer release")
	if list := must[[]engine.Team](t)(next.ListTeams(ctx)); len(list) != 0 {
		t.Errorf("the old release wrote %v", list)
	}
}

func TestMigrationKeepsACopy(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	path := filepath.Join(dir, store.FileName)
	s := openAt(t, path)
	id := s.EngineID()
	must[engine.Team](t)(s.CreateTeam(ctx, engine.Team{ID: "acme"}))
	ok(t, s.Close())
	next := must[*store.Store](t)(store.OpenNextRelease(ctx, path, nextMigration))
	must[engine.Team](t)(next.Team(ctx, "acme"))
	if next.EngineID() != id {
		t.Error("a migration made another engine of it")
	}
	ok(t, next.Exec("UPDATE teams SET quota = 3"))
	ok(t, next.Close())

	_, newest := store.MigrationFiles()
	copied := fmt.Sprintf("%s.backup-%d", path, newest)
	info, err := os.Stat(copied)
	ok(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the copy has mode %v", info.Mode())
	}
	// Put back in place it is the store of the old release again.
	ok(t, os.Rename(copied, path))
	old := openAt(t, path)
	must[engine.Team](t)(old.Team(ctx, "acme"))
	if old.EngineID() != id {
		t.Error("the copy is of another engine")
	}
	sound(t, old)
}

func TestFailedMigrationChangesNothing(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), store.FileName)
	ok(t, openAt(t, path).Close())
	_, newest := store.MigrationFiles()
	_, err := store.OpenNextRelease(ctx, path, "ALTER TABLE teams ADD COLUMN quota INTEGER;\nINSERT INTO nowhere VALUES (1);")
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("layout %d to %d", newest, newest+1)) {
		t.Fatalf("a migration that fails answered %v", err)
	}
	s := openAt(t, path)
	if err := s.Exec("SELECT quota FROM teams"); err == nil {
		t.Error("half a migration stayed")
	}
	ok(t, s.Close())
	ok(t, must[*store.Store](t)(store.OpenNextRelease(ctx, path, nextMigration)).Close())
}

func TestUnusableFiles(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		make func(dir string) error
		hint string
	}{
		"not a database": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, store.FileName), bytes.Repeat([]byte("text"), 4096), 0o600)
		}, "put back a copy"},
		"too short": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, store.FileName), []byte("SQLite format 3\x00"), 0o600)
		}, "put back a copy"},
		"overwritten in the middle": {func(dir string) error {
			path := filepath.Join(dir, store.FileName)
			s, err := store.Open(ctx, path, store.Options{})
			if err != nil {
				return err
			}
			if err := s.Close(); err != nil {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for i := 200; i < len(b); i++ {
				b[i] = 0xAA
			}
			return os.WriteFile(path, b, 0o600)
		}, "put back a copy"},
		"a directory": {func(dir string) error { return os.MkdirAll(filepath.Join(dir, store.FileName), 0o700) }, "data_dir"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			ok(t, c.make(dir))
			_, err := store.Open(ctx, filepath.Join(dir, store.FileName), store.Options{})
			refused(t, err, engine.ErrUnavailable, c.hint)
		})
	}
	t.Run("below a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		ok(t, os.WriteFile(file, nil, 0o600))
		_, err := store.Open(ctx, filepath.Join(file, store.FileName), store.Options{})
		refused(t, err, engine.ErrUnavailable, "data_dir")
	})
}

func TestFullStore(t *testing.T) {
	ctx, s := context.Background(), openStore(t)
	ok(t, s.Exec("PRAGMA max_page_count = 1"))
	_, err := s.CreateTeam(ctx, engine.Team{ID: "big", Description: strings.Repeat("x", 1<<20)})
	refused(t, err, engine.ErrUnavailable, "full", "free some space")
	_, err = s.Team(ctx, "big")
	refused(t, err, engine.ErrNotFound)
	must[engine.Team](t)(s.CreateTeam(ctx, engine.Team{ID: "small"}))
}

func TestSecretsAreNowhereInClear(t *testing.T) {
	const canary = "c4n4ry-of-the-store"
	ctx, dir := context.Background(), t.TempDir()
	path := filepath.Join(dir, store.FileName)
	s := openAt(t, path)
	shop(t, s)
	box := must[*secret.Box](t)(secret.Open(dir, ""))
	cipher := must[[]byte](t)(box.Seal([]byte(canary)))
	ok(t, s.ReplaceSecrets(ctx, engine.KindEnvironment, "acme/production",
		map[string]store.Secret{"PASSWORD": {Cipher: cipher, Hash: box.Hash("PASSWORD", canary)}}))
	back := must[map[string]store.Secret](t)(s.Secrets(ctx, engine.KindEnvironment, "acme/production"))
	if plain := must[[]byte](t)(box.Open(back["PASSWORD"].Cipher)); string(plain) != canary {
		t.Fatalf("the secret came back as %q", plain)
	}
	look := func(when string) {
		named := false
		files := must[[]os.DirEntry](t)(os.ReadDir(dir))
		for _, f := range files {
			b := must[[]byte](t)(os.ReadFile(filepath.Join(dir, f.Name())))
			if bytes.Contains(b, []byte(canary)) {
				t.Errorf("%s: %s holds the secret in clear", when, f.Name())
			}
			named = named || bytes.Contains(b, []byte("PASSWORD"))
		}
		if !named {
			t.Errorf("%s: not even the secret's name is in any file: the search looks in the wrong place", when)
		}
	}
	look("open") // closes descriptors of the open files, which no other process shares here
	ok(t, s.Close())
	look("closed")
}

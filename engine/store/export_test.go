package store

import (
	"context"
	"io/fs"
	"strings"
	"testing/fstest"
)

// OpenNextRelease opens the store as a release with one more migration would.
func OpenNextRelease(ctx context.Context, path, migration string) (*Store, error) {
	m := ownMigrations()
	files := fstest.MapFS{"00003_next.sql": {Data: []byte("-- +goose Up\n" + migration)}}
	own, err := fs.Glob(m.files, "*.sql")
	if err != nil {
		return nil, err
	}
	for _, name := range own {
		data, err := fs.ReadFile(m.files, name)
		if err != nil {
			return nil, err
		}
		files[name] = &fstest.MapFile{Data: data}
	}
	return open(ctx, path, Options{}, migrations{files: files, newest: m.newest + 1})
}

// MigrationFiles are the names of the migrations and the level they lead to.
func MigrationFiles() ([]string, int) {
	names, _ := fs.Glob(ownMigrations().files, "*.sql")
	return names, newestLevel
}

// Exec runs SQL on one connection of the store.
func (s *Store) Exec(query string, args ...any) error {
	s.db.SetMaxOpenConns(1)
	_, err := exec(context.Background(), s.db, query, args...)
	return err
}

// Level is the layout that the file says it has.
func (s *Store) Level() (int, error) { return userVersion(context.Background(), s.db) }

// Check runs SQLite's own checks; "ok" is what a sound file answers.
func (s *Store) Check() (string, error) {
	found, err := all(context.Background(), s.db, scanString, "PRAGMA integrity_check")
	if err != nil {
		return "", err
	}
	dangling, err := all(context.Background(), s.db, scanString, "SELECT \"table\" FROM pragma_foreign_key_check")
	return strings.Join(append(found, dangling...), " "), err
}

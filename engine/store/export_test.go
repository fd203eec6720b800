package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing/fstest"

	"github.com/pressly/goose/v3"
)

// OpenNextRelease opens the store as a release with one more migration would,
// which does this and sets the level.
func OpenNextRelease(ctx context.Context, path, migration string) (*Store, error) {
	m := ownMigrations()
	next := fmt.Sprintf("-- +goose Up\n%s\nPRAGMA user_version = %d;\n", migration, m.newest+1)
	files := fstest.MapFS{fmt.Sprintf("%05d_next.sql", m.newest+1): {Data: []byte(next)}}
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

// WriteLevel makes a store as the release of that level would have left it, with
// rows that it and those before it wrote.
func WriteLevel(ctx context.Context, path string, level int, rows map[int]string) (err error) {
	if err := prepareFile(path); err != nil {
		return err
	}
	db, err := connect(path, readWrite, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := exec(ctx, db, "PRAGMA journal_mode = WAL"); err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, ownMigrations().files,
		goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	for n := 1; n <= level; n++ {
		if _, err := provider.UpTo(ctx, int64(n)); err != nil {
			return err
		}
		if rows[n] == "" {
			continue // nothing new to write
		}
		if _, err := exec(ctx, db, rows[n]); err != nil {
			return fmt.Errorf("rows of level %d: %w", n, err)
		}
	}
	return nil
}

// LevelOf is the layout that a file which nobody has open says it has.
func LevelOf(path string) (int, error) {
	db, err := connect(path, readOnly, 1)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	return userVersion(context.Background(), db)
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

package store

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
)

// This file and errors.go hold what is particular to SQLite.

// The ways to connect: none makes a file.
const (
	readWrite = "rw"
	readOnly  = "ro"
)

// connect opens a pool on the file, which must be there. Every transaction is
// immediate: it has the write lock from its start, so it never fails half-way
// because another process wrote. synchronous FULL makes a commit survive a loss
// of power: the journal of a rollout must not forget a step.
func connect(path, mode string, connections int) (*sql.DB, error) {
	query := url.Values{
		"mode":    {mode},
		"_txlock": {"immediate"},
		"_pragma": {"busy_timeout(10000)", "foreign_keys(1)", "synchronous(FULL)"},
	}
	connector, err := sqlite.NewConnector(fileURI(path) + "?" + query.Encode())
	if err != nil {
		return nil, unwritable(err)
	}
	db := sql.OpenDB(prepared{connector})
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// fileURI is the URI of an absolute path, whatever characters it has.
func fileURI(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/… on Windows
	}
	return "file://" + (&url.URL{Path: path}).EscapedPath()
}

package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"sync"
)

// database is counters and lists, written to its file after every change.
type database struct {
	mu   sync.Mutex
	path string
	data content
}

type content struct {
	Counters map[string]int      `json:"counters"`
	Lists    map[string][]string `json:"lists"`
}

// openDatabase reads the file, or starts empty where there is none.
func openDatabase(path string) (*database, error) {
	db := &database{path: path, data: content{Counters: map[string]int{}, Lists: map[string][]string{}}}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return db, nil
	}
	if err != nil {
		return nil, err
	}
	return db, json.Unmarshal(raw, &db.data)
}

func (db *database) count(name string) (int, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.data.Counters[name]++
	return db.data.Counters[name], db.write()
}

func (db *database) add(name, entry string) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.data.Lists[name] = append(db.data.Lists[name], entry)
	return db.write()
}

func (db *database) list(name string) []string {
	db.mu.Lock()
	defer db.mu.Unlock()
	return slices.Clone(db.data.Lists[name])
}

func (db *database) save() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.write()
}

// write replaces the file as a whole, so that a crash leaves the old or the new one.
func (db *database) write() error {
	raw, err := json.Marshal(db.data)
	if err != nil {
		return err
	}
	next := db.path + ".next"
	if err := os.WriteFile(next, raw, 0o600); err != nil {
		return err
	}
	return os.Rename(next, db.path)
}

package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// making keeps a file that prepareFile makes from being used in this process
// before its descriptor is closed; see fileSize.
var making sync.Mutex

// prepareFile makes the directory and an empty file that only this user reads,
// where they are not there.
func prepareFile(path string) error {
	making.Lock()
	defer making.Unlock()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return mapFile("the data directory cannot be made", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return mapFile("the store cannot be made", err)
	}
	return mapFile("the store cannot be made", f.Close())
}

// fileSize is 0 for a file that is not there. It does not open the file: on
// Unix, closing any descriptor of a database drops the locks that this process
// holds on it.
func fileSize(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, mapFile("the store cannot be read", err)
	}
	return info.Size(), nil
}

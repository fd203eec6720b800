package cache

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lock is a held flock. The kernel lets it go when the process dies.
type lock struct {
	file *os.File
	path string
}

// Waiting for a lock looks often at first: most are held for milliseconds.
const (
	firstLook = 2 * time.Millisecond
	lastLook  = 100 * time.Millisecond
)

// lock takes locks/<name>, waiting until ctx ends.
func (c *Cache) lock(ctx context.Context, name string) (*lock, error) {
	for wait := firstLook; ; wait = min(2*wait, lastLook) {
		l, err := tryLock(c.path("locks", name))
		if l != nil || err != nil {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// tryLock takes a lock that nobody holds; nil when somebody does.
func tryLock(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil && stillThere(f, path) {
		return &lock{file: f, path: path}, nil
	}
	_ = f.Close()
	if err == nil || errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
		return nil, nil
	}
	return nil, err
}

// stillThere finds out that the file was removed between opening and locking it:
// then somebody else may hold a lock on its successor.
func stillThere(f *os.File, path string) bool {
	held, err := f.Stat()
	if err != nil {
		return false
	}
	now, err := os.Lstat(path)
	return err == nil && os.SameFile(held, now)
}

func (l *lock) release() { _ = l.file.Close() }

// discard removes the lock's file too.
func (l *lock) discard() {
	_ = os.Remove(l.path)
	l.release()
}

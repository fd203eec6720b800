package state

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Lock lets one driver at a time start or remove the sandbox. All sandboxes of a
// node share one file, each locks one byte of it, so that nothing has to be
// cleaned up after a removed sandbox.
func (r Root) Lock(ctx context.Context, s Sandbox) (unlock func(), err error) {
	if err := os.MkdirAll(r.Dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(r.Dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	hash := fnv.New32a()
	hash.Write([]byte(s.ID()))
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: int64(hash.Sum32()), Len: 1}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES) {
			f.Close()
			return nil, fmt.Errorf("locking %s: %w", f.Name(), err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		}
	}
}

// HoldAlive marks the sandbox as supervised until the file is closed; it fails
// when another supervisor does that.
func HoldAlive(s Sandbox) (*os.File, error) {
	f, err := os.OpenFile(s.AliveFile(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}); err != nil {
		f.Close()
		return nil, fmt.Errorf("another supervisor runs in %s: %w", s.Dir, err)
	}
	return f, nil
}

// Alive tells whether a supervisor lives in the sandbox, without disturbing it.
func Alive(s Sandbox) bool {
	f, err := os.OpenFile(s.AliveFile(), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	probe := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &probe); err != nil {
		return false
	}
	return probe.Type != unix.F_UNLCK
}

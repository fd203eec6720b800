package network

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// worker is a thread that stays in a network namespace of its own for ever:
// an unprivileged process may not go back to the host's. The namespace lives as
// long as the thread, or as somebody holds its file.
type worker struct {
	calls chan func()
	quit  chan struct{}
	done  chan struct{}
	once  sync.Once
}

// newWorker starts a thread in a new network namespace.
func newWorker() (*worker, error) {
	w := &worker{calls: make(chan func()), quit: make(chan struct{}), done: make(chan struct{})}
	started := make(chan error)
	onThread(func() { w.run(started) })
	if err := <-started; err != nil {
		return nil, fmt.Errorf("make a network namespace: %w", err)
	}
	return w, nil
}

// onThread runs f in a goroutine with a thread of its own, which ends with it.
func onThread(f func()) {
	go func() {
		runtime.LockOSThread() // never unlocked, so that nobody gets the thread as f leaves it
		if unix.Gettid() != os.Getpid() {
			f()
			return
		}
		// The main thread shows in /proc/<pid>/ns and cannot end alone: hold it
		// until the goroutine has another.
		moved := make(chan struct{})
		onThread(func() {
			close(moved)
			f()
		})
		<-moved
		runtime.UnlockOSThread()
	}()
}

func (w *worker) run(started chan<- error) {
	defer close(w.done)
	err := unix.Unshare(unix.CLONE_NEWNET)
	started <- err
	if err != nil {
		return
	}
	for {
		select {
		case call := <-w.calls:
			call()
		case <-w.quit:
			return
		}
	}
}

// do runs f on the thread and waits for it; net.ErrClosed after close.
func (w *worker) do(f func() error) error {
	result := make(chan error, 1)
	select {
	case w.calls <- func() { result <- f() }:
		return <-result
	case <-w.done:
		return net.ErrClosed
	}
}

// namespace opens the thread's network namespace.
func (w *worker) namespace() (ns *os.File, err error) {
	err = w.do(func() error {
		ns, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	return ns, err
}

// close ends the thread.
func (w *worker) close() {
	w.once.Do(func() { close(w.quit) })
	<-w.done
}

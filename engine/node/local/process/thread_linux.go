package process

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// onThread runs f on a thread that ends with it, whatever f did to the thread.
//
// The first thread of the process is passed over: it cannot end, and
// /proc/self would show its namespaces as the process's own.
func onThread(f func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			result <- onThread(f)
			runtime.UnlockOSThread()
			return
		}
		result <- f() // never unlocked: the thread ends with the goroutine
	}()
	return <-result
}

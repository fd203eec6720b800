package e2e

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// mount puts a small disk at the directory until the test ends.
func mount(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, full); err != nil {
		t.Skipf("this machine does not let root mount a disk (%v): run the tests outside of a container", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
}

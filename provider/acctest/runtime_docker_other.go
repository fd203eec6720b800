//go:build !linux

package acctest

import "testing"

func openDocker(t *testing.T, _ *Runtime) {
	t.Helper()
	t.Skip("Docker Engines of tests need Linux")
}

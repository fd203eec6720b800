//go:build !linux

package docker

// killMarked finds nothing: containers are not processes of this machine.
func killMarked(string) bool { return false }

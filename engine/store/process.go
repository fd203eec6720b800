package store

import (
	"crypto/rand"
	"encoding/hex"
	"os"
)

// ThisProcess is a new owner of leases in this process: two of them exclude
// each other.
func ThisProcess() LeaseOwner {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	host, _ := os.Hostname()
	owner := LeaseOwner{ID: hex.EncodeToString(id), PID: os.Getpid(), Host: host}
	describeProcess(&owner)
	return owner
}

// ownerAlive reports whether the owner's process may still run. Only what this
// host knows for certain is dead: another host's process, or one counted in
// another pid namespace, lives until its lease expires.
func ownerAlive(owner LeaseOwner) bool {
	host, err := os.Hostname()
	if err != nil || host != owner.Host {
		return true
	}
	return processAlive(owner)
}

package control

import (
	"errors"
	"net"
	"syscall"
)

// DialReason says in a word why a connection could not be made.
func DialReason(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "connection timed out"
	}
	return "no connection"
}

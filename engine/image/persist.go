package image

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
)

// transfers is how often a transfer is begun when connections break half-way.
const transfers = 3

// Persist does something again, at most three times in all, when a connection
// breaks in the midst of an answer: that is past the retries of requests.
func Persist(ctx context.Context, do func() error) (err error) {
	for range transfers {
		err = do()
		if err == nil || !Interrupted(err) || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// Interrupted reports whether an answer began and did not end.
func Interrupted(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || (errors.As(err, &op) && op.Op == "read")
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"testing"
)

func TestErrorCode(t *testing.T) {
	for want, err := range map[string]error{
		"":                 nil,
		"failed":           errors.New("surprise"),
		"conflict":         fmt.Errorf("sealed: %w", Conflict("sealed", "")),
		"not_found":        NotFound("version", "acme/shop/1.0.0"),
		"failed/check":     &RolloutError{Phase: PhaseCheck, Message: "503"},
		"unavailable/pull": &RolloutError{Phase: PhasePull, Err: &Error{Class: ErrUnavailable, Reason: "registry"}},
		"cancelled/start":  errors.Join(errors.New("more"), &RolloutError{Phase: PhaseStart, Err: context.Canceled}),
		"timed_out":        context.DeadlineExceeded,
	} {
		if got := ErrorCode(err); got != want {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
}

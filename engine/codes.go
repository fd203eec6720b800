package engine

import (
	"context"
	"errors"
)

// codes are the short names of the classes of errors, tried in order. They are
// stable: programs may act on them.
var codes = []struct {
	is   error
	code string
}{
	{context.DeadlineExceeded, "timed_out"},
	{context.Canceled, "cancelled"},
	{ErrForeignStore, "different_engine"},
	{ErrNotFound, "not_found"},
	{ErrExists, "exists"},
	{ErrInvalid, "invalid"},
	{ErrConflict, "conflict"},
	{ErrBusy, "busy"},
	{ErrUnavailable, "unavailable"},
	{ErrDenied, "denied"},
	{ErrUnsupported, "unsupported"},
}

// ErrorCode is the class of an error and, of a rollout, the phase that it
// failed in: conflict, failed/check, unavailable/pull. What has no class has
// failed. It is "" for nil.
func ErrorCode(err error) string {
	if err == nil {
		return ""
	}
	code := "failed"
	for _, c := range codes {
		if errors.Is(err, c.is) {
			code = c.code
			break
		}
	}
	var rollout *RolloutError
	if errors.As(err, &rollout) && rollout.Phase != "" {
		code += "/" + string(rollout.Phase)
	}
	return code
}

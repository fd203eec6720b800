package rollout

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/health"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// logLines is how much of a failed instance's output the error quotes.
const logLines = 20

// phaseError says where in a rollout an error happened.
type phaseError struct {
	phase     engine.Phase
	component string
	err       error
}

func (e *phaseError) Error() string { return fmt.Sprintf("%s %s: %v", e.phase, e.component, e.err) }
func (e *phaseError) Unwrap() error { return e.err }

// instanceError says which instance did not prove itself.
type instanceError struct {
	key node.Key
	err error
}

func (e *instanceError) Error() string { return e.key.Name + ": " + e.err.Error() }
func (e *instanceError) Unwrap() error { return e.err }

// explain tells everything that is known of a failure, while the failed
// instance is still there to be asked.
func (r *run) explain(ctx context.Context, err error) *engine.RolloutError {
	failure := &engine.RolloutError{
		DeploymentID: r.in.Deployment, OperationID: r.in.OperationID,
		Phase: engine.PhaseStart, Message: err.Error(), Err: err,
	}
	var phase *phaseError
	if errors.As(err, &phase) {
		failure.Phase, failure.Component, failure.Message = phase.phase, phase.component, phase.err.Error()
	}
	var verdict *health.Failure
	if errors.As(err, &verdict) {
		failure.Phase, failure.Check, failure.Message = verdict.Phase, verdict.Check, verdict.Message
		failure.ExitCode, failure.OOMKilled = verdict.ExitCode, verdict.OOMKilled
	}
	var canary *canaryError
	if errors.As(err, &canary) {
		failure.Component = canary.component
	}
	if hint := hintOf(err); hint != "" {
		failure.Message += "; " + hint
	}
	if cause := context.Cause(ctx); cause != nil {
		failure.Message = cancelled(cause)
	}
	if key, ok := r.failedInstance(err, failure.Component); ok && !errors.Is(err, node.ErrUnreachable) {
		lines, logErr := r.Driver.Logs(context.WithoutCancel(ctx), key, logLines)
		if logErr == nil {
			failure.LogLines = lines
		}
	}
	return failure
}

func cancelled(cause error) string {
	if errors.Is(cause, context.DeadlineExceeded) {
		return "the operation's timeout passed; raise the matching value in timeouts if this needs longer"
	}
	return "the operation was cancelled"
}

func hintOf(err error) string {
	var e *engine.Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

// failedInstance is the instance whose log explains the error: the one that
// did not prove itself, else the newest of the failed component.
func (r *run) failedInstance(err error, component string) (node.Key, bool) {
	var instance *instanceError
	if errors.As(err, &instance) {
		return instance.key, true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.created) - 1; i >= 0; i-- {
		if r.created[i].component == component {
			return r.created[i].key, true
		}
	}
	return node.Key{}, false
}

// componentOf reads the component out of an error's field path.
func componentOf(err error) string {
	var e *engine.Error
	if !errors.As(err, &e) {
		return ""
	}
	parts := strings.Split(e.Field, ".")
	if len(parts) > 1 && parts[0] == "components" {
		return parts[1]
	}
	return ""
}

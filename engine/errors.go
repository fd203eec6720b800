package engine

import (
	"errors"
	"fmt"
	"strings"
)

// Sentinel classes of errors. Every error a Service returns matches at most one
// of them with errors.Is; anything else is an internal failure.
var (
	// ErrNotFound: the object does not exist in this engine's store. Only this
	// one lets a caller forget an object.
	ErrNotFound = errors.New("not found")
	// ErrExists: an object with that key exists and belongs to somebody else.
	ErrExists = errors.New("already exists")
	// ErrInvalid: the input breaks a rule; see InvalidError for the field.
	ErrInvalid = errors.New("invalid")
	// ErrConflict: the input is fine, the present state forbids it (sealed
	// version, object in use, deletion protection, prefix owned by another).
	ErrConflict = errors.New("conflict")
	// ErrBusy: another operation holds the deployment.
	ErrBusy = errors.New("busy")
	// ErrUnavailable: a node, registry or store did not answer.
	ErrUnavailable = errors.New("unavailable")
	// ErrDenied: a registry or node refused the credentials.
	ErrDenied = errors.New("denied")
	// ErrUnsupported: the node's runtime cannot honour what was asked.
	ErrUnsupported = errors.New("unsupported")
	// ErrForeignStore: the store is not the one that the caller knows.
	ErrForeignStore = errors.New("different engine")
)

// Error carries one of the classes above with a sentence for the user and the
// next step. It never carries a secret.
type Error struct {
	Class  error  // one of the sentinels
	Field  string // dotted field path of the input at fault, "" when none, for example components.api.ports.http.host_port
	Reason string // what is wrong, a sentence without final stop
	Hint   string // what to do next, a sentence without final stop, or ""
	Err    error  // cause, or nil
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Field != "" {
		fmt.Fprintf(&b, "%s: ", e.Field)
	}
	b.WriteString(e.Reason)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap lets errors.Is see the class and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Class}
	}
	return []error{e.Class, e.Err}
}

// Invalid reports a broken rule about one field of the input.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Class: ErrInvalid, Field: field, Reason: fmt.Sprintf(format, args...)}
}

// NotFound reports that no object of that kind has the id.
func NotFound(kind, id string) *Error {
	return &Error{Class: ErrNotFound, Reason: fmt.Sprintf("no %s has the id %q", kind, id)}
}

// Conflict reports that the present state forbids what was asked.
func Conflict(reason, hint string) *Error {
	return &Error{Class: ErrConflict, Reason: reason, Hint: hint}
}

// Unsupported reports that a runtime cannot honour the field.
func Unsupported(field, reason, hint string) *Error {
	return &Error{Class: ErrUnsupported, Field: field, Reason: reason, Hint: hint}
}

// At puts prefix before the field of every *Error joined into err; an error of
// another type stays as it is.
func At(prefix string, err error) error {
	switch e := err.(type) { //nolint:errorlint // only what stands outermost is moved
	case nil:
		return nil
	case *Error:
		moved := *e
		moved.Field = joinField(prefix, e.Field)
		return &moved
	case interface{ Unwrap() []error }:
		var all []error
		for _, inner := range e.Unwrap() {
			all = append(all, At(prefix, inner))
		}
		return errors.Join(all...)
	default:
		return err
	}
}

func joinField(prefix, field string) string {
	switch {
	case field == "":
		return prefix
	case prefix == "":
		return field
	default:
		return prefix + "." + field
	}
}

// All lists every *Error joined into err, in order; an error that is none is
// wrapped into one without a class.
func All(err error) []*Error {
	if err == nil {
		return nil
	}
	if one, ok := err.(*Error); ok { //nolint:errorlint // the outermost error decides
		return []*Error{one}
	}
	if multi, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // errors.Join
		var all []*Error
		for _, e := range multi.Unwrap() {
			all = append(all, All(e)...)
		}
		return all
	}
	var inner *Error
	if errors.As(err, &inner) {
		wrapped := *inner
		wrapped.Reason, wrapped.Err = err.Error(), nil
		return []*Error{&wrapped}
	}
	return []*Error{{Reason: err.Error(), Err: nil}}
}

// RolloutError is the whole story of a failed rollout (design 4.3.5).
type RolloutError struct {
	DeploymentID string
	Component    string // "" when no single component failed
	Phase        Phase
	Check        string   // name of the failing check, "" when none
	Message      string   // the failing check's message, or what the phase answered
	ExitCode     *int     // of the instance that ended, nil when none ended
	OOMKilled    bool     // the kernel ended the instance for its memory limit
	LogLines     []string // last lines of the failed instance, oldest first, at most 20
	Restored     string   // what serves now, a sentence
	Leftover     bool     // something of the failed revision is still on the node
	OperationID  string
	Err          error
}

// Phase of a rollout.
type Phase string

// The phases a rollout can fail in.
const (
	PhasePreflight Phase = "preflight"
	PhasePull      Phase = "pull"
	PhaseData      Phase = "data"
	PhaseStart     Phase = "start"
	PhaseCheck     Phase = "check"
	PhaseStabilise Phase = "stabilise"
	PhaseSwitch    Phase = "switch"
	PhaseCommit    Phase = "commit"
	PhaseRecover   Phase = "recover"
)

// Error implements error with one line; Detail tells everything.
func (e *RolloutError) Error() string {
	where := e.DeploymentID
	if e.Component != "" {
		where += ", component " + e.Component
	}
	return fmt.Sprintf("%s: %s failed: %s", where, e.Phase, e.Message)
}

// Unwrap gives the cause.
func (e *RolloutError) Unwrap() error { return e.Err }

// Detail is the text for the user: every known fact on a line of its own.
func (e *RolloutError) Detail() string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-12s %s\n", name+":", value)
		}
	}
	line("Deployment", e.DeploymentID)
	line("Component", e.Component)
	line("Phase", string(e.Phase))
	line("Check", e.Check)
	line("Message", e.Message)
	if e.ExitCode != nil {
		line("Exit code", fmt.Sprint(*e.ExitCode))
	}
	if e.OOMKilled {
		line("Killed", "out of memory: the component's memory limit was reached")
	}
	line("Serving", e.Restored)
	line("Operation", e.OperationID)
	if len(e.LogLines) > 0 {
		b.WriteString("Last log lines:\n")
		for _, l := range e.LogLines {
			fmt.Fprintf(&b, "  | %s\n", l)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

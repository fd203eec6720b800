// Package fwdiag turns what an engine answers into diagnostics. It is the only
// place that does, so that every message has one shape: a constant summary (verb,
// noun, class), and a detail that says what was tried, what the answer was and
// what to do next.
package fwdiag

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// DifferentEngine is the summary when state and engine do not belong together.
const DifferentEngine = "Different engine"

// Op is what was being done, such as {"Create", "version", "acme/shop/1.4.0"}.
type Op struct {
	Verb string // Create, Read, Update, Delete, Plan, Validate, Import
	Noun string // team, node, …
	ID   string // the object's id, "" when it is not known
	By   string // which key it was looked for by, "" when that is plain
}

// From gives one diagnostic for each error joined into err.
func From(op Op, err error) diag.Diagnostics { return At(op, err, tftypes.Value{}) }

// At is From, with the attribute path of every error whose field is found in
// the configuration.
func At(op Op, err error, config tftypes.Value) diag.Diagnostics {
	var rollout *engine.RolloutError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &rollout):
		return diag.Diagnostics{diag.NewErrorDiagnostic(op.summary("rollout failed"), rollout.Detail()+op.afterRollout())}
	}
	var diags diag.Diagnostics
	for _, one := range engine.All(err) {
		diags.Append(op.diagnostic(one, err, config))
	}
	return diags
}

func (op Op) diagnostic(one *engine.Error, whole error, config tftypes.Value) diag.Diagnostic {
	summary := op.summary(class(one, whole))
	where, found := Path(config, one.Field)
	if !found {
		return diag.NewErrorDiagnostic(summary, op.detail(one, whole))
	}
	return diag.NewAttributeErrorDiagnostic(where, summary, op.detail(one, whole))
}

func (op Op) summary(class string) string { return op.Verb + " " + op.Noun + ": " + class }

func (op Op) detail(one *engine.Error, whole error) string {
	var b strings.Builder
	if op.ID != "" {
		fmt.Fprintf(&b, "%s %s %q%s: ", gerund[op.Verb], op.Noun, op.ID, op.by())
	}
	b.WriteString(strings.TrimRight(one.Error(), "."))
	b.WriteString(".")
	if hint := hint(op, one, whole); hint != "" {
		b.WriteString("\n\n" + strings.TrimRight(capital(hint), ".") + ".")
	}
	return b.String()
}

func (op Op) by() string {
	if op.By == "" {
		return ""
	}
	return " by " + op.By
}

var gerund = map[string]string{
	"Create": "Creating", "Read": "Reading", "Update": "Updating", "Delete": "Deleting",
	"Open": "Opening", "Destroy": "Destroying", "Plan": "Planning", "Validate": "Checking", "Import": "Importing",
}

// classes are tried in order; the words end a summary and head a section of the errors guide.
var classes = []struct {
	is    error
	words string
}{
	{context.DeadlineExceeded, "timed out"},
	{context.Canceled, "cancelled"},
	{engine.ErrForeignStore, "different engine"},
	{engine.ErrNotFound, "not found"},
	{engine.ErrExists, "already exists"},
	{engine.ErrInvalid, "invalid"},
	{engine.ErrConflict, "conflict"},
	{engine.ErrBusy, "busy"},
	{engine.ErrUnavailable, "unavailable"},
	{engine.ErrDenied, "denied"},
	{engine.ErrUnsupported, "unsupported"},
}

func class(one *engine.Error, whole error) string {
	for _, c := range classes {
		if errors.Is(one.Class, c.is) || errors.Is(one.Err, c.is) || (one.Class == nil && errors.Is(whole, c.is)) {
			return c.words
		}
	}
	return "failed"
}

// hint is the error's own, else what helps with every error of its class.
func hint(op Op, one *engine.Error, whole error) string {
	if one.Hint != "" && !errors.Is(one.Class, engine.ErrExists) {
		return one.Hint
	}
	switch class(one, whole) {
	case "timed out":
		return "raise the matching value in timeouts, or look at what it waited for above"
	case "cancelled":
		return "apply again to go on"
	case "already exists":
		return fmt.Sprintf("choose another name, or take it into this configuration: \"import slipway_%s.<name> %s\"", op.Noun, op.ID)
	case "not found":
		return "it may have been deleted outside Terraform: plan again to see what is there"
	case "busy":
		return "wait for the other run to end, then try again"
	case "failed":
		return "this was not foreseen: run again with TF_LOG=debug and report what it says"
	}
	return ""
}

// afterRollout says what the next plan will offer: a first rollout that failed
// left no state.
func (op Op) afterRollout() string {
	if op.Verb == "Create" {
		return "\n\nNothing is in the state: mend the cause and apply again."
	}
	return "\n\nThe state holds what serves now, so the next plan offers the change again: mend the cause and apply again."
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

package fwdiag_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
)

var op = fwdiag.Op{Verb: "Create", Noun: "version", ID: "acme/shop/1.4.0"}

func TestClasses(t *testing.T) {
	code := 3
	for name, test := range map[string]struct {
		err     error
		summary string
		detail  []string
	}{
		"not found":     {engine.NotFound("product", "acme/shop"), "Create version: not found", []string{`Creating version "acme/shop/1.4.0": no product has the id "acme/shop".`, "plan again"}},
		"exists":        {&engine.Error{Class: engine.ErrExists, Reason: "it is there", Hint: "Import it"}, "Create version: already exists", []string{"import slipway_version.<name> acme/shop/1.4.0"}},
		"invalid":       {engine.Invalid("name", "too long"), "Create version: invalid", []string{"name: too long."}},
		"conflict":      {engine.Conflict("sealed", `add a slipway_version named "1.4.1"`), "Create version: conflict", []string{"sealed.", `Add a slipway_version named "1.4.1".`}},
		"busy":          {&engine.Error{Class: engine.ErrBusy, Reason: "held by pid 7"}, "Create version: busy", []string{"pid 7", "Wait"}},
		"unavailable":   {&engine.Error{Class: engine.ErrUnavailable, Reason: "no answer", Err: errors.New("refused")}, "Create version: unavailable", []string{"no answer: refused."}},
		"denied":        {&engine.Error{Class: engine.ErrDenied, Reason: "401"}, "Create version: denied", nil},
		"unsupported":   {engine.Unsupported("components.a.init", "no init here", ""), "Create version: unsupported", nil},
		"wrapped":       {fmt.Errorf("while pinning: %w", &engine.Error{Class: engine.ErrDenied, Reason: "401"}), "Create version: denied", []string{"while pinning: 401"}},
		"timeout":       {fmt.Errorf("waiting: %w", context.DeadlineExceeded), "Create version: timed out", []string{"timeouts"}},
		"typed timeout": {&engine.Error{Class: engine.ErrUnavailable, Reason: "slow", Err: context.DeadlineExceeded}, "Create version: timed out", nil},
		"cancelled":     {context.Canceled, "Create version: cancelled", []string{"Apply again"}},
		"unforeseen":    {errors.New("boom"), "Create version: failed", []string{"boom.", "TF_LOG=debug"}},
		"rollout": {&engine.RolloutError{DeploymentID: "acme/production/shop", Component: "api", Phase: engine.PhaseCheck, Check: "up", Message: "503", ExitCode: &code, LogLines: []string{"bad day"}, Restored: "1.3.0 serves", OperationID: "op_1"},
			"Create version: rollout failed", []string{"Component:   api", "Phase:       check", "Exit code:   3", "| bad day", "1.3.0 serves", "op_1", "Nothing is in the state"}},
	} {
		t.Run(name, func(t *testing.T) {
			diags := fwdiag.From(op, test.err)
			if len(diags) != 1 || diags[0].Severity() != diag.SeverityError || diags[0].Summary() != test.summary {
				t.Fatalf("got %v, want one error %q", diags, test.summary)
			}
			for _, want := range test.detail {
				if !strings.Contains(diags[0].Detail(), want) {
					t.Errorf("detail lacks %q:\n%s", want, diags[0].Detail())
				}
			}
			// The command may be tofu.
			if strings.Contains(diags[0].Detail(), "terraform ") {
				t.Errorf("detail names a program:\n%s", diags[0].Detail())
			}
		})
	}
	if diags := fwdiag.From(op, nil); diags != nil {
		t.Errorf("no error gives %v", diags)
	}
}

func TestWhatComesAfterARolloutThatFailed(t *testing.T) {
	for verb, want := range map[string]string{"Create": "Nothing is in the state: mend", "Update": "the next plan offers the change again: mend"} {
		diags := fwdiag.From(fwdiag.Op{Verb: verb, Noun: "deployment", ID: "acme/production/shop"}, &engine.RolloutError{Restored: "something"})
		if !strings.Contains(diags[0].Detail(), want) {
			t.Errorf("%s lacks %q:\n%s", verb, want, diags[0].Detail())
		}
	}
}

func TestJoinedErrorsAreToldApart(t *testing.T) {
	err := errors.Join(engine.Invalid("name", "one"), fmt.Errorf("more: %w", errors.Join(engine.Invalid("status", "two"))))
	if diags := fwdiag.From(op, err); len(diags) != 2 {
		t.Errorf("got %d diagnostics, want 2: %v", len(diags), diags)
	}
}

func TestPath(t *testing.T) {
	text := func(s string) tftypes.Value { return tftypes.NewValue(tftypes.String, s) }
	object := func(values map[string]tftypes.Value) tftypes.Value {
		typ := tftypes.Object{AttributeTypes: map[string]tftypes.Type{}}
		for name, value := range values {
			typ.AttributeTypes[name] = value.Type()
		}
		return tftypes.NewValue(typ, values)
	}
	mapOf := func(values map[string]tftypes.Value) tftypes.Value {
		for _, value := range values {
			return tftypes.NewValue(tftypes.Map{ElementType: value.Type()}, values)
		}
		panic("no element")
	}
	command := tftypes.NewValue(tftypes.List{ElementType: tftypes.String}, []tftypes.Value{text("a"), text("b")})
	config := object(map[string]tftypes.Value{
		"name": text("x"),
		"components": mapOf(map[string]tftypes.Value{"api": object(map[string]tftypes.Value{
			"command": command,
			"files":   mapOf(map[string]tftypes.Value{"/etc/app.conf": object(map[string]tftypes.Value{"mode": text("9")})}),
			"ports":   mapOf(map[string]tftypes.Value{"http": object(map[string]tftypes.Value{"container_port": text("0")})}),
			"user":    tftypes.NewValue(tftypes.String, nil),
		})}),
	})
	api := path.Root("components").AtMapKey("api")
	for field, want := range map[string]path.Path{
		"name": path.Root("name"),
		"components.api.ports.http.container_port": api.AtName("ports").AtMapKey("http").AtName("container_port"),
		"components.api.files./etc/app.conf.mode":  api.AtName("files").AtMapKey("/etc/app.conf").AtName("mode"),
		"components.api.command.1":                 api.AtName("command").AtListIndex(1),
		"components.api.command.7":                 api.AtName("command"),
		"components.api.user":                      api.AtName("user"),
		"components.api.ports.https.protocol":      api.AtName("ports"),
		"components.db.image":                      path.Root("components"),
	} {
		if got, found := fwdiag.Path(config, field); !found || !got.Equal(want) {
			t.Errorf("%s: got %s (%v), want %s", field, got, found, want)
		}
	}
	for _, field := range []string{"", "secret", "local.address"} {
		if got, found := fwdiag.Path(config, field); found {
			t.Errorf("%q: got %s, want nothing", field, got)
		}
	}
	if _, found := fwdiag.Path(tftypes.Value{}, "name"); found {
		t.Error("found an attribute in no configuration")
	}
}

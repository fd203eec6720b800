package attrs

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// rule is a string validator over one of the engine's checks.
type rule struct {
	says  string
	check func(value string) error
}

// NameSyntax accepts what engine.CheckName accepts.
func NameSyntax() validator.String {
	return rule{
		says:  "lower-case letters, digits and inner hyphens, at most 40 characters",
		check: func(value string) error { return engine.CheckName("", value) },
	}
}

// Duration accepts a Go duration that is not negative.
func Duration() validator.String {
	return rule{
		says: "a duration such as 500ms, 30s or 5m",
		check: func(value string) error {
			if value == "" {
				return engine.Invalid("", "a duration must not be empty: leave the attribute out for its default")
			}
			_, err := engine.ParseDuration("", value, time.Second)
			return err
		},
	}
}

// Check accepts what check answers with nil.
func Check(says string, check func(value string) error) validator.String {
	return rule{says: says, check: check}
}

// Description implements validator.Describer.
func (r rule) Description(context.Context) string { return r.says }

// MarkdownDescription implements validator.Describer.
func (r rule) MarkdownDescription(context.Context) string { return r.says }

// ValidateString implements validator.String.
func (r rule) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := r.check(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid attribute value", named(req.Path, err)+".")
	}
}

// named puts the attribute before the reason: of an attribute inside another,
// Terraform shows the resource only.
func named(at path.Path, err error) string {
	var e *engine.Error
	if errors.As(err, &e) && e.Field != "" {
		return err.Error()
	}
	return at.String() + ": " + err.Error()
}

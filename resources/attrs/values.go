package attrs

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// OptionalString is null for "".
func OptionalString(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(s)
}

// OptionalInt is null for 0.
func OptionalInt(n int) types.Int64 {
	if n == 0 {
		return types.Int64Null()
	}
	return types.Int64Value(int64(n))
}

// Strings is a map of strings as HCL has it; when there are none the prior
// value stays, because null and {} mean the same.
func Strings(ctx context.Context, values map[string]string, prior types.Map, diags *diag.Diagnostics) types.Map {
	if len(values) == 0 {
		if prior.IsUnknown() || len(prior.Elements()) > 0 {
			return types.MapNull(types.StringType)
		}
		return nullable(prior)
	}
	made, problems := types.MapValueFrom(ctx, types.StringType, values)
	diags.Append(problems...)
	return made
}

// Variables is Strings for a map whose elements may be null.
func Variables(ctx context.Context, values engine.Variables, prior types.Map, diags *diag.Diagnostics) types.Map {
	if len(values) == 0 {
		return Strings(ctx, nil, prior, diags)
	}
	made, problems := types.MapValueFrom(ctx, types.StringType, values)
	diags.Append(problems...)
	return made
}

// ToVariables is the known elements of a map of strings, null ones too.
func ToVariables(m types.Map) engine.Variables {
	if len(m.Elements()) == 0 {
		return nil
	}
	values := make(engine.Variables, len(m.Elements()))
	for name, value := range m.Elements() {
		if s, ok := value.(types.String); ok && !s.IsUnknown() {
			values[name] = s.ValueStringPointer()
		}
	}
	return values
}

// nullable gives a null map its element type, which a zero value lacks.
func nullable(m types.Map) types.Map {
	if m.IsNull() {
		return types.MapNull(types.StringType)
	}
	return m
}

// ToStrings is the known elements of a map of strings, nil when there are none.
func ToStrings(m types.Map) map[string]string {
	if len(m.Elements()) == 0 {
		return nil
	}
	values := make(map[string]string, len(m.Elements()))
	for name, value := range m.Elements() {
		if s, ok := value.(types.String); ok && !s.IsUnknown() && !s.IsNull() {
			values[name] = s.ValueString()
		}
	}
	return values
}

// List is a computed list of strings, empty rather than null.
func List(values []string) types.List {
	elements := make([]string, 0, len(values))
	elements = append(elements, values...)
	made, _ := types.ListValueFrom(context.Background(), types.StringType, elements)
	return made
}

package component

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// Type is the type of the `components` attribute.
func Type() types.MapType {
	return Attribute(true, "").GetType().(types.MapType) //nolint:forcetypeassert // a map nested attribute is of a map type
}

// FromMap gives the components of a model; those with unknown values are left out.
func FromMap(ctx context.Context, value types.Map) (map[string]engine.Component, error) {
	raw, err := value.ToTerraformValue(ctx)
	if err != nil {
		return nil, err
	}
	known, _, _, err := Decode(raw)
	return known, err
}

// ToMap gives the components as HCL has them. What the user wrote stays when it
// means the same: "60s" is not overwritten with "1m", nor null with a default.
func ToMap(ctx context.Context, components map[string]engine.Component, prior types.Map, diags *diag.Diagnostics) types.Map {
	if same(ctx, components, prior) {
		return prior
	}
	return toMap(ctx, components, Type(), diags)
}

func toMap[T any](ctx context.Context, values map[string]T, typ types.MapType, diags *diag.Diagnostics) types.Map {
	raw, err := encodeMap(values, typ.TerraformType(ctx))
	if err != nil {
		diags.AddError("Unreadable components", err.Error())
		return types.MapNull(typ.ElementType())
	}
	value, err := typ.ValueFromTerraform(ctx, raw)
	if err != nil {
		diags.AddError("Unreadable components", err.Error())
		return types.MapNull(typ.ElementType())
	}
	return value.(types.Map) //nolint:forcetypeassert // a map type makes maps
}

func same(ctx context.Context, components map[string]engine.Component, prior types.Map) bool {
	raw, err := prior.ToTerraformValue(ctx)
	if err != nil || prior.IsUnknown() || prior.ElementType(ctx) == nil {
		return false
	}
	written, _, whole, err := Decode(raw)
	if err != nil || !whole || len(written) != len(components) {
		return false
	}
	return len(written) == 0 || catalog.Digest(written) == catalog.Digest(components)
}

// Validate checks what is known of a configuration's components. A component
// with an unknown value takes part only as a name that others may depend on;
// what is said about it is dropped.
func Validate(value tftypes.Value) error {
	known, unknown, _, err := Decode(value)
	if err != nil || len(known) == 0 {
		return err
	}
	for _, name := range unknown {
		known[name] = engine.Component{Image: "unknown"}
	}
	return withoutFields(catalog.ValidateComponents(known), unknown)
}

package component

import (
	"context"
	"encoding/json"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// OverridesAttribute is what a deployment changes of its version's components.
func OverridesAttribute() schema.MapNestedAttribute {
	return mapOf("What differs here from the version, by component.", map[string]schema.Attribute{
		"replicas":  integer("Number of instances, 0 to 1000, instead of the version's."),
		"resources": Resources(),
		"env":       texts("More environment variables; they win over all others. `null` takes a variable away."),
	})
}

// OverridesFromMap gives the overrides of a model; those with unknown values are left out.
func OverridesFromMap(ctx context.Context, value types.Map) (map[string]engine.ComponentOverride, error) {
	raw, err := value.ToTerraformValue(ctx)
	if err != nil {
		return nil, err
	}
	known, _, err := Overrides(raw)
	return known, err
}

// OverridesToMap gives the overrides as HCL has them; what the user wrote stays
// when it means the same.
func OverridesToMap(ctx context.Context, overrides map[string]engine.ComponentOverride, prior types.Map, diags *diag.Diagnostics) types.Map {
	if written, err := OverridesFromMap(ctx, prior); err == nil && !prior.IsUnknown() && equalJSON(written, overrides) {
		return prior
	}
	typ := types.MapType{ElemType: OverridesAttribute().NestedObject.Type()}
	return toMap(ctx, overrides, typ, diags)
}

// equalJSON compares what is set: an empty map and none are the same.
func equalJSON(a, b map[string]engine.ComponentOverride) bool {
	if len(a) == 0 && len(b) == 0 {
		return true
	}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

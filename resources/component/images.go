package component

import (
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// PlanImages is the planned `images`: what the engine pinned, unknown for a
// component that it could not pin yet.
func PlanImages(components map[string]engine.Component, images map[string]string) types.Map {
	elements := make(map[string]attr.Value, len(components))
	for name := range components {
		elements[name] = types.StringUnknown()
		if pinned := images[name]; pinned != "" {
			elements[name] = types.StringValue(pinned)
		}
	}
	return types.MapValueMust(types.StringType, elements)
}

// WarnMoving names the components whose image says no version: the same
// configuration is something else another day.
func WarnMoving(components map[string]engine.Component, diags *diag.Diagnostics) {
	for _, name := range slices.Sorted(maps.Keys(components)) {
		if image := components[name].Image; catalog.Moves(image) {
			diags.AddAttributeWarning(path.Root("components").AtMapKey(name).AtName("image"), "Moving image",
				"The image of component "+name+", "+image+", names no version: what it is today is what this version will run, and nobody can tell from the configuration what that was.\n\n"+
					"Pin a version or a digest, such as "+image+"@sha256:….")
		}
	}
}

package component

import (
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
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

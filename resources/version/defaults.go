package version

import (
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// TypeName is the resource's name in configurations.
const TypeName = "slipway_version"

// defaults are the attributes that have one in the schema.
var defaults = map[string]string{
	"type":   engine.VersionIncremental,
	"status": engine.VersionActive,
}

// KeepsDefaults reports whether every attribute that the configuration leaves to
// its default has that default in the state already.
func KeepsDefaults(config, state tftypes.Value) bool {
	var written, is map[string]tftypes.Value
	if config.As(&written) != nil || state.As(&is) != nil {
		return false
	}
	for name, fallback := range defaults {
		if written[name].IsNull() && text(is[name]) != fallback {
			return false
		}
	}
	return true
}

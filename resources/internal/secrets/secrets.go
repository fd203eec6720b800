// Package secrets is the pair secrets_wo and secrets_wo_version, which
// environments and deployments share. The values are write-only: the
// configuration is the only place that has them.
package secrets

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
)

// Attribute is secrets_wo.
func Attribute(more string) schema.MapAttribute {
	return schema.MapAttribute{
		Optional:            true,
		Sensitive:           true,
		WriteOnly:           true,
		ElementType:         types.StringType,
		MarkdownDescription: "Secrets by name, a map of strings. Write-only: stored encrypted by the engine, never in state or plan. Sent, all of them, when created and when `secrets_wo_version` changes. " + more,
		Validators:          []validator.Map{mapvalidator.AlsoRequires(path.MatchRoot("secrets_wo_version"))},
	}
}

// Version is secrets_wo_version.
func Version() schema.Int64Attribute {
	return schema.Int64Attribute{
		Optional:            true,
		MarkdownDescription: "Number to raise when `secrets_wo` is to be sent again.",
		Validators:          []validator.Int64{int64validator.AtLeast(0)},
	}
}

// Read takes the values from the configuration, nil when there are none. A
// version without values is a mistake: an empty map says that there are none.
func Read(ctx context.Context, config tfsdk.Config, version types.Int64, diags *diag.Diagnostics) map[string]string {
	values := fromConfig(ctx, config, diags)
	if values.IsNull() && !version.IsNull() && !version.IsUnknown() {
		diags.AddAttributeError(path.Root("secrets_wo_version"), "Missing write-only value",
			"secrets_wo_version says that there are secrets to send, but secrets_wo is not set.\n\nSet secrets_wo beside it ({} removes all secrets), or leave both out.")
	}
	return attrs.ToStrings(values)
}

// ReadChanged is Read when the version is another one than in the state, else
// nil, which keeps what is stored. Never nil when it changed.
func ReadChanged(ctx context.Context, config tfsdk.Config, state tfsdk.State, version types.Int64, diags *diag.Diagnostics) map[string]string {
	if !Changed(ctx, state, version, diags) {
		return nil
	}
	values := Read(ctx, config, version, diags)
	if values == nil {
		values = map[string]string{}
	}
	return values
}

// Changed reports whether the version is another one than in the state; with
// no state, whether there is one.
func Changed(ctx context.Context, state tfsdk.State, version types.Int64, diags *diag.Diagnostics) bool {
	if state.Raw.IsNull() {
		return !version.IsNull()
	}
	var before types.Int64
	diags.Append(state.GetAttribute(ctx, path.Root("secrets_wo_version"), &before)...)
	return !version.Equal(before)
}

// Names are the sorted names in the configuration; known reports whether they
// are known at all.
func Names(ctx context.Context, config tfsdk.Config, diags *diag.Diagnostics) (names []string, known bool) {
	values := fromConfig(ctx, config, diags)
	if values.IsUnknown() {
		return nil, false
	}
	return slices.Sorted(maps.Keys(values.Elements())), true
}

func fromConfig(ctx context.Context, config tfsdk.Config, diags *diag.Diagnostics) types.Map {
	var values types.Map
	diags.Append(config.GetAttribute(ctx, path.Root("secrets_wo"), &values)...)
	return values
}

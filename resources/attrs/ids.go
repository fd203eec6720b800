package attrs

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
)

// PlanID makes a planned id known as soon as the attribute parent ("" for none)
// and the name are: ids are human keys.
func PlanID(ctx context.Context, plan *tfsdk.Plan, parent string, diags *diag.Diagnostics) {
	var id, name types.String
	owner := types.StringValue("")
	diags.Append(plan.GetAttribute(ctx, path.Root("id"), &id)...)
	if !id.IsUnknown() || diags.HasError() {
		return
	}
	diags.Append(plan.GetAttribute(ctx, path.Root("name"), &name)...)
	if parent != "" {
		diags.Append(plan.GetAttribute(ctx, path.Root(parent), &owner)...)
	}
	if known := JoinID(owner, name); !known.IsUnknown() {
		diags.Append(plan.SetAttribute(ctx, path.Root("id"), known)...)
	}
}

// JoinID joins an owner's id, "" for none, and a name; unknown while either is.
func JoinID(owner, name types.String) types.String {
	switch {
	case owner.IsUnknown() || name.IsUnknown():
		return types.StringUnknown()
	case owner.ValueString() == "":
		return name
	}
	return types.StringValue(engine.JoinID(owner.ValueString(), name.ValueString()))
}

// Import puts the human key, which has that many parts, into the state.
func Import(ctx context.Context, noun string, parts int, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if _, err := engine.SplitID(noun, req.ID, parts); err != nil {
		resp.Diagnostics.Append(fwdiag.From(fwdiag.Op{Verb: "Import", Noun: noun}, err)...)
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), req.ID)...)
}

package registry

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
)

// ModifyPlan makes the id known and refuses what apply would refuse.
func (r *Resource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	known := r.Known(ctx, req.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || req.Plan.Raw.IsNull() {
		return
	}
	attrs.PlanID(ctx, &resp.Plan, "team_id", &resp.Diagnostics)
	if !attrs.Known(req.Plan.Raw, "team_id", "name", "url", "ca_certificate") {
		return
	}
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	wanted := plan.toEngine()
	if known && r.foreseeable(req, resp) {
		r.ask(ctx, wanted, plan, req, &resp.Diagnostics)
		return
	}
	resp.Diagnostics.Append(fwdiag.At(op("Plan", wanted.ID), catalog.ValidateRegistry(wanted), req.Config.Raw)...)
}

// foreseeable reports whether something changes and all of it is known.
func (r *Resource) foreseeable(req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) bool {
	changes := req.State.Raw.IsNull() || !resp.Plan.Raw.Equal(req.State.Raw)
	return changes && attrs.Known(req.Plan.Raw, "username", "password_wo_version") && attrs.Known(req.Config.Raw, "password_wo")
}

// ask tries the credentials, and lets the plans of this run resolve images with them.
func (r *Resource) ask(ctx context.Context, wanted engine.Registry, plan model, req resource.ModifyPlanRequest, diags *diag.Diagnostics) {
	planned := engine.PlannedRegistry{Registry: wanted}
	if req.State.Raw.IsNull() || passwordChanged(ctx, req.State, plan, diags) {
		value := password(ctx, req.Config, plan, diags)
		planned.Password = &value
	}
	if diags.HasError() {
		return
	}
	err := r.Engine.PlanRegistry(ctx, planned)
	diags.Append(fwdiag.At(op("Plan", wanted.ID), err, req.Config.Raw)...)
	if err == nil {
		r.Planned.PutRegistry(planned)
	}
}

// passwordChanged reports whether a prior state exists whose version of the
// password is another one.
func passwordChanged(ctx context.Context, state tfsdk.State, plan model, diags *diag.Diagnostics) bool {
	if state.Raw.IsNull() {
		return false
	}
	var before types.Int64
	diags.Append(state.GetAttribute(ctx, path.Root("password_wo_version"), &before)...)
	return !plan.PasswordWOVersion.Equal(before)
}

// password reads the write-only password from the configuration, the only place
// that has it. A version without a password is a mistake that would silently
// keep, or drop, the old one.
func password(ctx context.Context, config tfsdk.Config, plan model, diags *diag.Diagnostics) string {
	var value types.String
	diags.Append(config.GetAttribute(ctx, path.Root("password_wo"), &value)...)
	if value.IsNull() && !plan.PasswordWOVersion.IsNull() && !plan.PasswordWOVersion.IsUnknown() {
		diags.AddAttributeError(path.Root("password_wo_version"), "Missing write-only value",
			"password_wo_version says that there is a password to send, but password_wo is not set.\n\nSet password_wo beside it, or leave both out for anonymous access.")
	}
	return value.ValueString()
}

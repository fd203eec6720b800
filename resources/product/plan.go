package product

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/component"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
)

var _ resource.ResourceWithValidateConfig = (*Resource)(nil)

// ValidateConfig checks type and components as far as they are known.
func (r *Resource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var kind types.String
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("type"), &kind)...)
	components := attrs.Raw(req.Config.Raw, "components")
	simple := kind.ValueString() == engine.ProductSimple
	switch {
	case kind.IsUnknown() || !components.IsKnown():
	case simple && components.IsNull():
		resp.Diagnostics.AddAttributeError(path.Root("components"), "Missing components",
			"A simple product runs its own components.\n\nSet components, or leave type out for a product with versions.")
	case !simple && !components.IsNull():
		resp.Diagnostics.AddAttributeError(path.Root("components"), "Unexpected components",
			"Only a simple product has components of its own.\n\nPut them into a slipway_version, or set type = \"simple\".")
	default:
		resp.Diagnostics.Append(fwdiag.At(op("Validate", ""), component.Validate(components), req.Config.Raw)...)
	}
}

// ModifyPlan makes id and ref known, and pins the images of a simple product.
func (r *Resource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	known := r.Known(ctx, req.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || req.Plan.Raw.IsNull() ||
		req.Plan.Raw.Equal(req.State.Raw) || attrs.Replaces(req, "team_id", "name") {
		return
	}
	attrs.PlanID(ctx, &resp.Plan, "team_id", &resp.Diagnostics)
	var plan, state model
	resp.Diagnostics.Append(resp.Plan.Get(ctx, &plan)...)
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if resp.Diagnostics.HasError() || plan.Type.IsUnknown() {
		return
	}
	switch {
	case plan.Type.ValueString() == engine.ProductComplex:
		plan.Ref, plan.Images = types.StringNull(), types.MapNull(types.StringType)
		r.planComplex(ctx, known, state, plan, req, resp)
	case !attrs.Known(req.Plan.Raw, "components"):
	case !req.State.Raw.IsNull() && !attrs.Changed(req.State.Raw, req.Plan.Raw, "components", "type"):
		plan.Ref, plan.Images = state.Ref, state.Images
	default:
		r.planContent(ctx, known, state, &plan, req, resp)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// refuse says what the pure rules have against the change.
func (r *Resource) refuse(ctx context.Context, state, plan model, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if !attrs.Known(req.Plan.Raw, "team_id", "name", "type") {
		return
	}
	wanted, err := plan.toEngine(ctx)
	if err == nil {
		err = catalog.ValidateProduct(wanted)
	}
	if err == nil && !state.Type.IsNull() {
		err = catalog.AllowProductChange(engine.Product{Type: state.Type.ValueString()}, wanted)
	}
	resp.Diagnostics.Append(fwdiag.At(op("Plan", wanted.ID), err, req.Config.Raw)...)
}

// planComplex lets the versions of this run know that they may be there.
func (r *Resource) planComplex(ctx context.Context, known bool, state, plan model, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	r.refuse(ctx, state, plan, req, resp)
	wanted, err := plan.toEngine(ctx)
	if err != nil || !known || resp.Diagnostics.HasError() || plan.ID.IsUnknown() {
		return
	}
	_, err = r.Engine.PlanProduct(ctx, wanted, r.Planned.All())
	resp.Diagnostics.Append(fwdiag.At(op("Plan", wanted.ID), err, req.Config.Raw)...)
	if err == nil {
		r.Planned.PutProduct(wanted)
	}
}

// planContent plans ref and images of a simple product whose content is new.
func (r *Resource) planContent(ctx context.Context, known bool, state model, plan *model, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	r.refuse(ctx, state, *plan, req, resp)
	wanted, err := plan.toEngine(ctx)
	if err != nil || resp.Diagnostics.HasError() || plan.ID.IsUnknown() {
		return
	}
	version := engine.Version{
		ID: engine.JoinID(wanted.ID, engine.RollingVersionName), ProductID: wanted.ID,
		Name: engine.RollingVersionName, Type: engine.VersionRolling, Status: engine.VersionActive,
		Components: wanted.Components, Digest: catalog.Digest(wanted.Components),
	}
	component.WarnMoving(wanted.Components, &resp.Diagnostics)
	version.Ref = catalog.Ref(version.ID, version.Digest)
	plan.Ref = types.StringValue(version.Ref)
	if !known {
		return
	}
	answer, err := r.Engine.PlanProduct(ctx, wanted, r.Planned.All())
	if err != nil {
		resp.Diagnostics.Append(fwdiag.At(op("Plan", wanted.ID), err, req.Config.Raw)...)
		return
	}
	plan.Images = component.PlanImages(wanted.Components, answer.Images)
	version.Images = answer.Images
	r.Planned.PutProduct(wanted)
	r.Planned.PutVersion(version)
}

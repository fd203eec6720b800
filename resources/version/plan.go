package version

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
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

// ValidateConfig checks the components as far as they are known.
func (r *Resource) ValidateConfig(_ context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	err := component.Validate(attrs.Raw(req.Config.Raw, "components"))
	resp.Diagnostics.Append(fwdiag.At(op("Validate", ""), err, req.Config.Raw)...)
}

// ModifyPlan makes id, digest, ref and images known, refuses what apply would
// refuse, and tells the deployments of this run what will be. An unchanged
// version costs nothing.
func (r *Resource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if !req.Plan.Raw.IsNull() && req.Plan.Raw.Equal(req.State.Raw) {
		return
	}
	known := r.Known(ctx, req.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	if req.Plan.Raw.IsNull() || attrs.Replaces(req, "product_id", "name", "type") {
		if known {
			r.PlanDelete(ctx, engine.KindVersion, req, &resp.Diagnostics)
		}
		return
	}
	var plan, state model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if plan.ID.IsUnknown() {
		plan.ID = attrs.JoinID(plan.ProductID, plan.Name)
	}
	if attrs.Known(req.Plan.Raw, "product_id", "name", "type", "status", "changelog", "components") {
		r.plan(ctx, known, state, &plan, req, &resp.Diagnostics)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

func (r *Resource) plan(ctx context.Context, known bool, state model, plan *model, req resource.ModifyPlanRequest, diags *diag.Diagnostics) {
	exists := !req.State.Raw.IsNull()
	unchanged := exists && !attrs.Changed(req.State.Raw, req.Plan.Raw, "components")
	if exists {
		plan.Sealed = state.Sealed // what is sealed stays so, and its content cannot change
	}
	if unchanged {
		plan.Number, plan.ParentID, plan.Images = state.Number, state.ParentID, state.Images
	}
	wanted, err := plan.toEngine(ctx)
	if err == nil {
		err = catalog.ValidateVersion(wanted)
	}
	if err != nil {
		diags.Append(fwdiag.At(op("Plan", wanted.ID), err, req.Config.Raw)...)
		return
	}
	wanted.Digest = catalog.Digest(wanted.Components)
	wanted.Ref = catalog.Ref(wanted.ID, wanted.Digest)
	if !unchanged {
		component.WarnMoving(wanted.Components, diags)
	}
	plan.Digest, plan.Ref = types.StringValue(wanted.Digest), types.StringValue(wanted.Ref)
	switch {
	case !known:
	case unchanged:
		wanted.Number = int(plan.Number.ValueInt64())
		r.Planned.PutVersion(wanted)
	default:
		r.ask(ctx, exists, wanted, plan, req, diags)
	}
}

// ask lets the engine plan new content: its rules, and the digests of its images.
func (r *Resource) ask(ctx context.Context, exists bool, wanted engine.Version, plan *model, req resource.ModifyPlanRequest, diags *diag.Diagnostics) {
	answer, err := r.Engine.PlanVersion(ctx, wanted, r.Planned.All())
	if err != nil {
		diags.Append(fwdiag.At(op("Plan", wanted.ID), err, req.Config.Raw)...)
		return
	}
	plan.Images = component.PlanImages(wanted.Components, answer.Images)
	r.place(ctx, exists, wanted, answer, plan, req, diags)
	wanted.Images, wanted.Number = answer.Images, answer.Number
	r.Planned.PutVersion(wanted)
}

// place plans number and parent. When the configuration does not name the
// parent, they depend on which of the versions that this run creates comes
// first, so they stay unknown until then.
func (r *Resource) place(ctx context.Context, exists bool, wanted engine.Version, answer engine.VersionPlan, plan *model, req resource.ModifyPlanRequest, diags *diag.Diagnostics) {
	var parent types.String
	diags.Append(req.Config.GetAttribute(ctx, path.Root("parent_id"), &parent)...)
	switch {
	case wanted.Type == engine.VersionRolling:
		plan.Number, plan.ParentID = types.Int64Null(), types.StringNull()
	case !exists && (parent.IsNull() || answer.Number == 0):
	default:
		plan.Number, plan.ParentID = attrs.OptionalInt(answer.Number), attrs.OptionalString(answer.ParentID)
	}
}

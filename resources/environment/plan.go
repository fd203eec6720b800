package environment

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
	"github.com/slipwayhq/terraform-provider-slipway/resources/internal/secrets"
)

// ModifyPlan fills what is computed from the configuration alone, refuses what
// apply would refuse, and tells the deployments of this run what will be.
func (r *Resource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	known := r.Known(ctx, req.Private, &resp.Diagnostics)
	switch {
	case resp.Diagnostics.HasError():
	case req.Plan.Raw.IsNull() || attrs.Replaces(req, "team_id", "name", "node_id"):
		if known {
			r.PlanDelete(ctx, engine.KindEnvironment, req, &resp.Diagnostics)
		}
	default:
		protect(ctx, req.Config, &resp.Plan, &resp.Diagnostics)
		if !resp.Plan.Raw.Equal(req.State.Raw) {
			r.plan(ctx, known, req, resp)
		}
	}
}

// protect plans deletion_protection where the configuration leaves it out, also
// where it did not before: what is in production is protected.
func protect(ctx context.Context, config tfsdk.Config, plan *tfsdk.Plan, diags *diag.Diagnostics) {
	var given types.Bool
	var kind types.String
	diags.Append(config.GetAttribute(ctx, path.Root("deletion_protection"), &given)...)
	diags.Append(plan.GetAttribute(ctx, path.Root("type"), &kind)...)
	if given.IsNull() && !kind.IsUnknown() {
		diags.Append(plan.SetAttribute(ctx, path.Root("deletion_protection"), kind.ValueString() == engine.EnvironmentProduction)...)
	}
}

func (r *Resource) plan(ctx context.Context, known bool, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	attrs.PlanID(ctx, &resp.Plan, "team_id", &resp.Diagnostics)
	var plan model
	resp.Diagnostics.Append(resp.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	changed := secrets.Changed(ctx, req.State, plan.SecretsWOVersion, &resp.Diagnostics)
	r.secretNames(ctx, changed, req, &plan, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)

	if !attrs.Known(resp.Plan.Raw, "team_id", "name", "node_id", "type", "variables", "promotes_from_id", "min_soak") {
		return
	}
	wanted := plan.toEngine()
	var err error
	if known {
		err = r.Engine.PlanEnvironment(ctx, wanted, r.Planned.All())
	} else {
		err = catalog.ValidateEnvironment(wanted)
	}
	resp.Diagnostics.Append(fwdiag.At(op("Plan", wanted.ID), err, req.Config.Raw)...)
	if known {
		r.Planned.PutEnvironment(engine.PlannedEnvironment{Environment: wanted, SecretsChanged: changed})
	}
}

// secretNames plans secret_names: as they are, or those of the configuration
// when it sends new ones.
func (r *Resource) secretNames(ctx context.Context, changed bool, req resource.ModifyPlanRequest, plan *model, diags *diag.Diagnostics) {
	if !changed && !req.State.Raw.IsNull() {
		diags.Append(req.State.GetAttribute(ctx, path.Root("secret_names"), &plan.SecretNames)...)
		return
	}
	if changed {
		secrets.Read(ctx, req.Config, plan.SecretsWOVersion, diags)
	}
	if names, known := secrets.Names(ctx, req.Config, diags); known {
		plan.SecretNames = attrs.List(names)
	}
}

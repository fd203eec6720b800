package deployment

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
	"github.com/slipwayhq/terraform-provider-slipway/resources/internal/secrets"
)

// ModifyPlan says what apply will do: the changes, line by line, and the gaps to
// expect. The engine is asked also when the deployment itself is unchanged: its
// environment's variables and secrets, or a rolling version, may not be.
func (r *Resource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	known := r.Known(ctx, req.Private, &resp.Diagnostics)
	switch {
	case resp.Diagnostics.HasError():
	case req.Plan.Raw.IsNull() || attrs.Replaces(req, "environment_id", "prefix"):
		r.leave(ctx, known, req, &resp.Diagnostics)
	default:
		r.plan(ctx, known, req, resp)
	}
}

// leave plans the end of a deployment: what it holds is free for others in this
// run.
func (r *Resource) leave(ctx context.Context, known bool, req resource.ModifyPlanRequest, diags *diag.Diagnostics) {
	if !known {
		return
	}
	var id types.String
	diags.Append(req.State.GetAttribute(ctx, path.Root("id"), &id)...)
	r.Planned.Leave(id.ValueString())
	r.PlanDelete(ctx, engine.KindDeployment, req, diags)
}

func (r *Resource) plan(ctx context.Context, known bool, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	var plan, state model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	exists := !req.State.Raw.IsNull()
	if exists {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	plan.name()
	r.protect(ctx, known, req.Config, state, &plan, &resp.Diagnostics)
	touched := !exists || attrs.Changed(req.State.Raw, req.Plan.Raw, inputs...) || len(state.Drift.Elements()) > 0 ||
		!plan.DeletionProtection.Equal(state.DeletionProtection)
	switch {
	case touched:
		r.planChange(ctx, known, exists, state, &plan, req, resp)
	case known:
		r.planIfAffected(ctx, state, &plan, req, resp)
	default:
		plan.keep(state)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// name fills what follows from the configuration alone: the prefix, which is
// the product's name when none is given, and the id.
func (m *model) name() {
	if m.Prefix.IsUnknown() && !m.Version.IsUnknown() {
		if id, _, err := engine.SplitRef(m.Version.ValueString()); err == nil {
			m.Prefix = types.StringValue(engine.BaseName(engine.ParentID(id)))
		}
	}
	if m.ID.IsUnknown() {
		m.ID = attrs.JoinID(m.EnvironmentID, m.Prefix)
	}
}

// planChange plans a rollout.
func (r *Resource) planChange(ctx context.Context, known, exists bool, state model, plan *model, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	plan.forget()
	plan.NodeID = types.StringUnknown()
	if exists {
		plan.NodeID = state.NodeID
	}
	if !known {
		return
	}
	if !attrs.Known(req.Plan.Raw, "environment_id", "version", "desired_state", "variables", "secrets_wo_version", "components", "strategy", "restore_data", "restart_trigger") ||
		plan.Prefix.IsUnknown() {
		return
	}
	if answer, ok := r.ask(ctx, state, *plan, req, &resp.Diagnostics); ok {
		plan.promise(answer)
		warn(answer, &resp.Diagnostics)
	}
}

// planIfAffected plans a rollout when what it refers to makes one necessary.
func (r *Resource) planIfAffected(ctx context.Context, state model, plan *model, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	plan.keep(state)
	answer, ok := r.ask(ctx, state, *plan, req, &resp.Diagnostics)
	if !ok || !answer.Changed() && answer.Known && leadTo(answer.URLs, state.URLs) {
		return
	}
	plan.forget()
	plan.promise(answer)
	warn(answer, &resp.Diagnostics)
}

// ask lets the engine plan.
func (r *Resource) ask(ctx context.Context, state, plan model, req resource.ModifyPlanRequest, diags *diag.Diagnostics) (engine.DeploymentPlan, bool) {
	wanted := plan.toEngine(ctx, diags)
	var in engine.PlanInput
	if !req.State.Raw.IsNull() {
		prior := state.toEngine(ctx, diags)
		in.Prior = &prior
		diags.Append(state.Drift.ElementsAs(ctx, &in.Drift, false)...)
	}
	in.SecretsChanged = secrets.Changed(ctx, req.State, plan.SecretsWOVersion, diags)
	if in.SecretsChanged {
		secrets.Read(ctx, req.Config, plan.SecretsWOVersion, diags)
	}
	if diags.HasError() {
		return engine.DeploymentPlan{}, false
	}
	r.Planned.PutDeployment(wanted) // before the engine is asked, so that of two that want the same one sees the other
	in.Planned = r.Planned.All()
	answer, err := r.Engine.PlanDeployment(ctx, wanted, in)
	diags.Append(fwdiag.At(op("Plan", wanted.ID), err, req.Config.Raw)...)
	return answer, err == nil
}

// promise puts what the engine will do into the plan.
func (m *model) promise(answer engine.DeploymentPlan) {
	if answer.NodeID != "" {
		m.NodeID = types.StringValue(answer.NodeID)
	}
	if answer.Known {
		m.Changes = attrs.List(answer.Changes)
		m.URLs = urls(answer.URLs, types.StringUnknown())
	}
}

// leadTo reports whether the routes lead where the state says, as far as can be
// told without the node: its ports may change without the deployment.
func leadTo(planned map[string]string, state types.Map) bool {
	known := attrs.ToStrings(state)
	for route, url := range planned {
		if url != "" && known[route] != url {
			return false
		}
	}
	return true
}

func warn(answer engine.DeploymentPlan, diags *diag.Diagnostics) {
	if answer.Downgrade != "" {
		diags.AddAttributeWarning(path.Root("version"), "Downgrade", answer.Downgrade)
	}
	if answer.Idle != "" {
		diags.AddAttributeWarning(path.Root("strategy"), "Strategy without effect", answer.Idle)
	}
	for _, gap := range answer.Gaps {
		diags.AddWarning("Gap expected", gap)
	}
}

// protect plans deletion_protection where the configuration leaves it out, also
// where it did not before: it is the environment's, as that is planned.
func (r *Resource) protect(ctx context.Context, known bool, config tfsdk.Config, state model, plan *model, diags *diag.Diagnostics) {
	var given types.Bool
	diags.Append(config.GetAttribute(ctx, path.Root("deletion_protection"), &given)...)
	switch {
	case !given.IsNull():
	case known:
		plan.DeletionProtection = r.environmentProtection(ctx, plan.EnvironmentID)
	case !state.DeletionProtection.IsNull():
		plan.DeletionProtection = state.DeletionProtection
	}
}

// environmentProtection is the default of deletion_protection, unknown while
// the environment is.
func (r *Resource) environmentProtection(ctx context.Context, id types.String) types.Bool {
	if id.IsUnknown() {
		return types.BoolUnknown()
	}
	if environment, ok := r.Planned.Environment(id.ValueString()); ok {
		return types.BoolValue(environment.DeletionProtection)
	}
	environment, err := r.Engine.Environment(ctx, id.ValueString())
	if err != nil {
		return types.BoolUnknown() // PlanDeployment says what is wrong
	}
	return types.BoolValue(environment.DeletionProtection)
}

// inherit fills the defaults that only the stored environment knows.
func (r *Resource) inherit(ctx context.Context, plan *model, diags *diag.Diagnostics) {
	if !plan.DeletionProtection.IsUnknown() {
		return
	}
	environment, err := r.Engine.Environment(ctx, plan.EnvironmentID.ValueString())
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		diags.Append(fwdiag.From(op("Create", plan.ID.ValueString()), err)...)
		return
	}
	plan.DeletionProtection = types.BoolValue(environment.DeletionProtection)
}

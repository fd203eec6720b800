package node

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
)

// ModifyPlan makes the id known, and keeps what the node says of itself as long
// as nothing that it depends on changes.
func (r *Resource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	r.Known(ctx, req.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() || req.Plan.Raw.IsNull() || req.Plan.Raw.Equal(req.State.Raw) && !r.drifted(ctx, req, &resp.Diagnostics) {
		return
	}
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("drift"), attrs.List(nil))...) // what drifted is repaired
	attrs.PlanID(ctx, &resp.Plan, "team_id", &resp.Diagnostics)
	r.ask(ctx, req, resp)
	if req.State.Raw.IsNull() || attrs.Changed(req.State.Raw, req.Plan.Raw, "local", "docker", "team_id", "name") ||
		!attrs.Known(req.Plan.Raw, "image_retention", "ingress") {
		return
	}
	var plan, state model
	resp.Diagnostics.Append(resp.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	plan.Status, plan.Platform, plan.RuntimeVersion, plan.Address = state.Status, state.Platform, state.RuntimeVersion, state.Address
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

// drifted reports whether the last refresh found anything to repair.
func (r *Resource) drifted(ctx context.Context, req resource.ModifyPlanRequest, diags *diag.Diagnostics) bool {
	var drift types.List
	diags.Append(req.State.GetAttribute(ctx, path.Root("drift"), &drift)...)
	return len(drift.Elements()) > 0
}

// ask lets the engine refuse what it would at apply, and tells it what the node
// will be, once all that it depends on is known.
func (r *Resource) ask(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.Session == nil || resp.Diagnostics.HasError() || attrs.Replaces(req, "team_id", "name") || !attrs.Known(req.Plan.Raw, "team_id", "name") {
		return
	}
	if !attrs.Known(req.Plan.Raw, "allocation", "local", "docker", "ingress", "image_retention") {
		r.putUnknown(ctx, resp)
		return
	}
	if !attrs.Known(req.Config.Raw, "docker") {
		return
	}
	var plan model
	resp.Diagnostics.Append(resp.Plan.Get(ctx, &plan)...)
	var before *model
	if !req.State.Raw.IsNull() {
		before = &model{}
		resp.Diagnostics.Append(req.State.Get(ctx, before)...)
	}
	wanted := plan.toEngine()
	if wanted.Docker != nil {
		wanted.Docker.Keys = plan.keys(ctx, req.Config, before, &resp.Diagnostics)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	err := r.Engine.PlanNode(ctx, wanted)
	resp.Diagnostics.Append(fwdiag.At(op("Plan", wanted.ID), err, req.Config.Raw)...)
	if err == nil {
		r.Planned.PutNode(wanted)
	}
}

// putUnknown notes that it is not known yet what the node will be.
func (r *Resource) putUnknown(ctx context.Context, resp *resource.ModifyPlanResponse) {
	var id types.String
	resp.Diagnostics.Append(resp.Plan.GetAttribute(ctx, path.Root("id"), &id)...)
	if !id.IsUnknown() {
		r.Planned.PutNode(engine.Node{ID: id.ValueString()})
	}
}

// observe asks the node for what a create or update still leaves open. An
// unusable node is an error then: something is to be done on it.
func (r *Resource) observe(ctx context.Context, m *model, diags *diag.Diagnostics) {
	if !m.Status.IsUnknown() {
		return
	}
	status, err := r.Engine.NodeStatus(ctx, m.ID.ValueString())
	if err != nil {
		diags.Append(fwdiag.From(op("Read", m.ID.ValueString()), err)...)
	}
	m.fromStatus(status)
	warn(status, m.ID.ValueString(), diags)
}

// refresh asks the node at every read. An outage is a warning, and what was
// known of the node stays.
func (r *Resource) refresh(ctx context.Context, m *model, diags *diag.Diagnostics) {
	status, err := r.Engine.NodeStatus(ctx, m.ID.ValueString())
	if err != nil {
		diags.Append(fwdiag.From(op("Read", m.ID.ValueString()), err)...)
		return
	}
	m.fromStatus(status)
	if status.State == engine.NodeReady || m.Drift.IsNull() {
		m.Drift = attrs.List(status.Drift)
	}
	warn(status, m.ID.ValueString(), diags)
}

func warn(status engine.NodeStatus, id string, diags *diag.Diagnostics) {
	if status.State == engine.NodeReady {
		return
	}
	diags.AddWarning("Node not ready", "The node "+id+" is "+status.State+": "+status.Message+".\n\n"+
		"What is known of its deployments is from the last time it answered; nothing can be changed there until it is ready.")
}

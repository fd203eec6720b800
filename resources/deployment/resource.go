// Package deployment is slipway_deployment.
package deployment

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
	"github.com/slipwayhq/terraform-provider-slipway/resources/internal/secrets"
	"github.com/slipwayhq/terraform-provider-slipway/resources/session"
)

var (
	_ resource.ResourceWithConfigure   = (*Resource)(nil)
	_ resource.ResourceWithModifyPlan  = (*Resource)(nil)
	_ resource.ResourceWithImportState = (*Resource)(nil)
)

// Resource is slipway_deployment.
type Resource struct{ session.Resource }

// New makes the resource.
func New() resource.Resource { return &Resource{} }

// Metadata implements resource.Resource.
func (r *Resource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_deployment"
}

// Create runs the first rollout. When it fails there is no deployment and no
// state: nothing is tainted, the next apply simply tries again.
func (r *Resource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || !r.Ready(&resp.Diagnostics) {
		return
	}
	timeout, problems := plan.Timeouts.Create(ctx, defaultCreateTimeout)
	resp.Diagnostics.Append(problems...)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	r.inherit(ctx, &plan, &resp.Diagnostics)
	values := secrets.Read(ctx, req.Config, plan.SecretsWOVersion, &resp.Diagnostics)
	wanted := plan.toEngine(ctx, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	made, err := r.Engine.CreateDeployment(ctx, wanted, values)
	if err != nil {
		resp.Diagnostics.Append(fwdiag.At(op("Create", wanted.ID), err, req.Config.Raw)...)
		return
	}
	plan.settle(ctx, made, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	r.Remember(ctx, resp.Private, &resp.Diagnostics)
}

// Read implements resource.Resource. It asks the node too: what differs there
// is the drift, and an outage is a warning.
func (r *Resource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.Ready(&resp.Diagnostics) || !r.Recognise(ctx, req.Private, &resp.Diagnostics) {
		return
	}
	found, err := r.Engine.Deployment(ctx, state.ID.ValueString())
	if errors.Is(err, engine.ErrNotFound) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		resp.Diagnostics.Append(fwdiag.From(op("Read", state.ID.ValueString()), err)...)
		return
	}
	if message := found.Observed.NodeMessage; message != "" {
		resp.Diagnostics.AddWarning("Node not reachable", "The node of the deployment "+found.ID+" did not answer: "+message+".\n\n"+
			"Health, instances, endpoints and drift are those of the last refresh that reached it.")
	}
	state.fromEngine(ctx, found, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	r.Confirm(ctx, engine.KindDeployment, found.ID, req.Private, resp.Private, &resp.Diagnostics)
}

// Update runs a rollout, unless only what is Terraform's own changed. When it
// fails the state has what serves, so that the next plan offers the change again.
func (r *Resource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, state model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.Ready(&resp.Diagnostics) || !r.Recognise(ctx, req.Private, &resp.Diagnostics) {
		return
	}
	if !plan.OperationID.IsUnknown() {
		resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
		return
	}
	timeout, problems := plan.Timeouts.Update(ctx, defaultUpdateTimeout)
	resp.Diagnostics.Append(problems...)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	r.inherit(ctx, &plan, &resp.Diagnostics)
	values := secrets.ReadChanged(ctx, req.Config, req.State, plan.SecretsWOVersion, &resp.Diagnostics)
	wanted := plan.toEngine(ctx, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	changed, err := r.Engine.UpdateDeployment(ctx, wanted, values)
	if err != nil {
		resp.Diagnostics.Append(fwdiag.At(op("Update", wanted.ID), err, req.Config.Raw)...)
		if changed.ID != "" { // the engine says what serves now
			state.fromEngine(ctx, changed, &resp.Diagnostics)
			resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
		}
		return
	}
	plan.settle(ctx, changed, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Delete implements resource.Resource.
func (r *Resource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.Ready(&resp.Diagnostics) || !r.Recognise(ctx, req.Private, &resp.Diagnostics) {
		return
	}
	timeout, problems := state.Timeouts.Delete(ctx, defaultDeleteTimeout)
	resp.Diagnostics.Append(problems...)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	err := r.Engine.DeleteDeployment(ctx, state.ID.ValueString())
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		resp.Diagnostics.Append(fwdiag.From(op("Delete", state.ID.ValueString()), err)...)
	}
}

// ImportState takes environment and prefix: acme/production/shop.
func (r *Resource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("timeouts"), noTimeouts(ctx))...)
	attrs.Import(ctx, "deployment", 3, req, resp)
}

func op(verb, id string) fwdiag.Op { return fwdiag.Op{Verb: verb, Noun: "deployment", ID: id} }

// Package registry is slipway_registry.
package registry

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
	"github.com/slipwayhq/terraform-provider-slipway/resources/session"
)

var (
	_ resource.ResourceWithConfigure   = (*Resource)(nil)
	_ resource.ResourceWithModifyPlan  = (*Resource)(nil)
	_ resource.ResourceWithImportState = (*Resource)(nil)
)

// Resource is slipway_registry.
type Resource struct{ session.Resource }

// New makes the resource.
func New() resource.Resource { return &Resource{} }

// Metadata implements resource.Resource.
func (r *Resource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_registry"
}

// Create implements resource.Resource.
func (r *Resource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || !r.Ready(&resp.Diagnostics) {
		return
	}
	secret := password(ctx, req.Config, plan, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	made, err := r.Engine.CreateRegistry(ctx, plan.toEngine(), secret)
	if err != nil {
		resp.Diagnostics.Append(fwdiag.At(op("Create", plan.toEngine().ID), err, req.Config.Raw)...)
		return
	}
	plan.fromEngine(made)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	r.Remember(ctx, resp.Private, &resp.Diagnostics)
}

// Read implements resource.Resource.
func (r *Resource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.Ready(&resp.Diagnostics) || !r.Recognise(ctx, req.Private, &resp.Diagnostics) {
		return
	}
	found, err := r.Engine.Registry(ctx, state.ID.ValueString())
	if errors.Is(err, engine.ErrNotFound) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		resp.Diagnostics.Append(fwdiag.From(op("Read", state.ID.ValueString()), err)...)
		return
	}
	state.fromEngine(found)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	r.Confirm(ctx, engine.KindRegistry, found.ID, req.Private, resp.Private, &resp.Diagnostics)
}

// Update implements resource.Resource.
func (r *Resource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || !r.Ready(&resp.Diagnostics) || !r.Recognise(ctx, req.Private, &resp.Diagnostics) {
		return
	}
	var secret *string // nil keeps the stored one
	if passwordChanged(ctx, req.State, plan, &resp.Diagnostics) {
		value := password(ctx, req.Config, plan, &resp.Diagnostics)
		secret = &value
	}
	if resp.Diagnostics.HasError() {
		return
	}
	changed, err := r.Engine.UpdateRegistry(ctx, plan.toEngine(), secret)
	if err != nil {
		resp.Diagnostics.Append(fwdiag.At(op("Update", plan.ID.ValueString()), err, req.Config.Raw)...)
		return
	}
	plan.fromEngine(changed)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Delete implements resource.Resource.
func (r *Resource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.Ready(&resp.Diagnostics) || !r.Recognise(ctx, req.Private, &resp.Diagnostics) {
		return
	}
	err := r.Engine.DeleteRegistry(ctx, state.ID.ValueString())
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		resp.Diagnostics.Append(fwdiag.From(op("Delete", state.ID.ValueString()), err)...)
	}
}

// ImportState takes the team and the name: acme/main.
func (r *Resource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	attrs.Import(ctx, "registry", 2, req, resp)
}

func op(verb, id string) fwdiag.Op {
	return fwdiag.Op{Verb: verb, Noun: "registry", ID: id}
}

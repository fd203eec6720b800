// Package version is slipway_version.
package version

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

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

// Resource is slipway_version.
type Resource struct{ session.Resource }

// New makes the resource.
func New() resource.Resource { return &Resource{} }

// Metadata implements resource.Resource.
func (r *Resource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_version"
}

// Create implements resource.Resource.
func (r *Resource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || !r.Ready(&resp.Diagnostics) {
		return
	}
	wanted, err := plan.toEngine(ctx)
	if err != nil {
		resp.Diagnostics.Append(fwdiag.From(op("Create", plan.Name.ValueString()), err)...)
		return
	}
	made, err := r.Engine.CreateVersion(ctx, wanted)
	if err != nil {
		resp.Diagnostics.Append(fwdiag.At(op("Create", wanted.ID), err, req.Config.Raw)...)
		return
	}
	plan.fromEngine(ctx, made, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	r.Remember(ctx, resp.Private, &resp.Diagnostics)
}

// Read implements resource.Resource.
func (r *Resource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var id types.String
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("id"), &id)...)
	if resp.Diagnostics.HasError() || !r.Ready(&resp.Diagnostics) || !r.Recognise(ctx, req.Private, &resp.Diagnostics) {
		return
	}
	found, err := r.Engine.Version(ctx, id.ValueString())
	if errors.Is(err, engine.ErrNotFound) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		resp.Diagnostics.Append(fwdiag.From(op("Read", id.ValueString()), err)...)
		return
	}
	if !upToDate(req.State.Raw, found) {
		var state model
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
		state.fromEngine(ctx, found, &resp.Diagnostics)
		resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
	}
	r.Confirm(ctx, engine.KindVersion, found.ID, req.Private, resp.Private, &resp.Diagnostics)
}

// Update implements resource.Resource.
func (r *Resource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan model
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || !r.Ready(&resp.Diagnostics) || !r.Recognise(ctx, req.Private, &resp.Diagnostics) {
		return
	}
	wanted, err := plan.toEngine(ctx)
	if err != nil {
		resp.Diagnostics.Append(fwdiag.From(op("Update", plan.ID.ValueString()), err)...)
		return
	}
	changed, err := r.Engine.UpdateVersion(ctx, wanted)
	if err != nil {
		resp.Diagnostics.Append(fwdiag.At(op("Update", plan.ID.ValueString()), err, req.Config.Raw)...)
		return
	}
	sealed := plan.Sealed
	plan.fromEngine(ctx, changed, &resp.Diagnostics)
	if !sealed.IsUnknown() {
		plan.Sealed = sealed // as planned; a seal put on meanwhile is told by the next refresh
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
}

// Delete implements resource.Resource.
func (r *Resource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state model
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() || !r.Ready(&resp.Diagnostics) || !r.Recognise(ctx, req.Private, &resp.Diagnostics) {
		return
	}
	err := r.Engine.DeleteVersion(ctx, state.ID.ValueString())
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		resp.Diagnostics.Append(fwdiag.From(op("Delete", state.ID.ValueString()), err)...)
	}
}

// ImportState takes team, product and name: acme/shop/1.4.0.
func (r *Resource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	attrs.Import(ctx, "version", 3, req, resp)
}

func op(verb, id string) fwdiag.Op {
	return fwdiag.Op{Verb: verb, Noun: "version", ID: id}
}

package datasources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/session"
)

type deploymentSource struct{ session.DataSource }

func newDeployment() datasource.DataSource { return &deploymentSource{} }

type deploymentModel struct {
	ID              types.String             `tfsdk:"id"`
	EnvironmentID   types.String             `tfsdk:"environment_id"`
	Prefix          types.String             `tfsdk:"prefix"`
	Version         types.String             `tfsdk:"version"`
	DesiredState    types.String             `tfsdk:"desired_state"`
	NodeID          types.String             `tfsdk:"node_id"`
	Status          types.String             `tfsdk:"status"`
	Health          types.String             `tfsdk:"health"`
	Revision        types.Int64              `tfsdk:"revision"`
	PreviousVersion types.String             `tfsdk:"previous_version"`
	PromotionStatus types.String             `tfsdk:"promotion_status"`
	OperationID     types.String             `tfsdk:"operation_id"`
	Drift           types.List               `tfsdk:"drift"`
	Endpoints       map[string]endpointModel `tfsdk:"endpoints"`
	URLs            types.Map                `tfsdk:"urls"`
}

// Metadata implements datasource.DataSource.
func (d *deploymentSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_deployment"
}

// Schema implements datasource.DataSource.
func (d *deploymentSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A deployment, by `id`, or by `environment_id` and `prefix`, and how it is now.",
		Attributes: with(keyAttributes("acme/production/shop", "environment_id", "acme/production", "prefix"), map[string]schema.Attribute{
			"version":          text("Ref of the version that serves."),
			"desired_state":    text("`running` or `stopped`."),
			"node_id":          text("Id of its node."),
			"status":           text("Status of the newest revision."),
			"health":           text("`healthy`, `degraded`, `unhealthy` or `unknown`."),
			"revision":         number("Number of the newest revision."),
			"previous_version": text("Ref of the version that served before, null at first."),
			"promotion_status": text("`in_sync` or `out_of_sync` with the environment that its own promotes from, null without one."),
			"operation_id":     text("Id of the engine's record of the newest revision."),
			"drift":            list("What differs on the node from what should be."),
			"endpoints":        endpoints(),
			"urls":             texts("What visitors open to get to the routes, by `component/route`."),
		}),
	}
}

// Read implements datasource.DataSource.
func (d *deploymentSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m deploymentModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.Ready(&resp.Diagnostics) {
		return
	}
	k := key{noun: "deployment", parts: 3, owner: "environment_id", name: "prefix", id: m.ID, parent: m.EnvironmentID, last: m.Prefix}
	id := k.find(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	found, err := d.Engine.Deployment(ctx, id)
	if err != nil {
		k.failed(id, err, &resp.Diagnostics)
		return
	}
	m.ID, m.EnvironmentID, m.Prefix = types.StringValue(found.ID), types.StringValue(found.EnvironmentID), types.StringValue(found.Prefix)
	m.DesiredState = types.StringValue(found.DesiredState)
	s := found.Observed
	m.Version, m.NodeID = types.StringValue(servingVersion(found)), types.StringValue(s.NodeID)
	m.Status, m.Health, m.Revision = types.StringValue(string(s.Status)), types.StringValue(s.Health), types.Int64Value(int64(s.Revision))
	m.PreviousVersion, m.OperationID = attrs.OptionalString(s.PreviousVersion), attrs.OptionalString(s.OperationID)
	m.PromotionStatus = attrs.OptionalString(s.Promotion)
	m.Drift = attrs.List(s.Drift)
	m.Endpoints = endpointModels(s.Endpoints)
	m.URLs = toMap(ctx, s.URLs, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

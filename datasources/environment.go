package datasources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/session"
)

type environmentSource struct{ session.DataSource }

func newEnvironment() datasource.DataSource { return &environmentSource{} }

type environmentModel struct {
	ID                 types.String `tfsdk:"id"`
	TeamID             types.String `tfsdk:"team_id"`
	Name               types.String `tfsdk:"name"`
	NodeID             types.String `tfsdk:"node_id"`
	Type               types.String `tfsdk:"type"`
	Description        types.String `tfsdk:"description"`
	Variables          types.Map    `tfsdk:"variables"`
	SecretNames        types.List   `tfsdk:"secret_names"`
	PromotesFromID     types.String `tfsdk:"promotes_from_id"`
	MinSoak            types.String `tfsdk:"min_soak"`
	DeletionProtection types.Bool   `tfsdk:"deletion_protection"`
}

// Metadata implements datasource.DataSource.
func (d *environmentSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_environment"
}

// Schema implements datasource.DataSource.
func (d *environmentSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "An environment, by `id`, or by `team_id` and `name`. Its secrets never come out.",
		Attributes: with(keyAttributes("acme/production", "team_id", "acme", "name"), map[string]schema.Attribute{
			"node_id":             text("Id of its node."),
			"type":                text("`development`, `preview`, `staging` or `production`."),
			"description":         text("Text for people."),
			"variables":           texts("Environment variables of every component deployed here."),
			"secret_names":        list("Sorted names of its secrets."),
			"promotes_from_id":    text("Id of the environment whose versions may enter, null when every version may."),
			"min_soak":            text("How long a version must have served there, null when that does not matter."),
			"deletion_protection": truth("It must not be destroyed."),
		}),
	}
}

// Read implements datasource.DataSource.
func (d *environmentSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m environmentModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.Ready(&resp.Diagnostics) {
		return
	}
	k := key{noun: "environment", parts: 2, owner: "team_id", name: "name", id: m.ID, parent: m.TeamID, last: m.Name}
	id := k.find(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	found, err := d.Engine.Environment(ctx, id)
	if err != nil {
		k.failed(id, err, &resp.Diagnostics)
		return
	}
	m.ID, m.TeamID, m.Name = types.StringValue(found.ID), types.StringValue(found.TeamID), types.StringValue(found.Name)
	m.NodeID, m.Type = types.StringValue(found.NodeID), types.StringValue(found.Type)
	m.Description, m.Variables = attrs.OptionalString(found.Description), variablesOf(ctx, found.Variables, &resp.Diagnostics)
	m.SecretNames, m.DeletionProtection = attrs.List(found.SecretNames), types.BoolValue(found.DeletionProtection)
	m.PromotesFromID, m.MinSoak = attrs.OptionalString(found.PromotesFromID), attrs.OptionalString(found.MinSoak)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

// variablesOf is toMap for variables, of which some may be null.
func variablesOf(ctx context.Context, variables engine.Variables, diags *diag.Diagnostics) types.Map {
	if len(variables) == 0 {
		return toMap(ctx, nil, diags)
	}
	return attrs.Variables(ctx, variables, types.MapNull(types.StringType), diags)
}

package datasources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/session"
)

type teamSource struct{ session.DataSource }

func newTeam() datasource.DataSource { return &teamSource{} }

type teamModel struct {
	ID          types.String `tfsdk:"id"`
	Name        types.String `tfsdk:"name"`
	Description types.String `tfsdk:"description"`
}

// Metadata implements datasource.DataSource.
func (d *teamSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_team"
}

// Schema implements datasource.DataSource.
func (d *teamSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A team, by `id` or `name`.",
		Attributes: with(keyAttributes("acme", "", "", "name"), map[string]schema.Attribute{
			"description": text("Text for people."),
		}),
	}
}

// Read implements datasource.DataSource.
func (d *teamSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m teamModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.Ready(&resp.Diagnostics) {
		return
	}
	k := key{noun: "team", parts: 1, owner: "", name: "name", id: m.ID, last: m.Name}
	id := k.find(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	found, err := d.Engine.Team(ctx, id)
	if err != nil {
		k.failed(id, err, &resp.Diagnostics)
		return
	}
	m.ID, m.Name = types.StringValue(found.ID), types.StringValue(found.Name)
	m.Description = attrs.OptionalString(found.Description)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

package datasources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/session"
)

type productSource struct{ session.DataSource }

func newProduct() datasource.DataSource { return &productSource{} }

type productModel struct {
	ID          types.String `tfsdk:"id"`
	TeamID      types.String `tfsdk:"team_id"`
	Name        types.String `tfsdk:"name"`
	Type        types.String `tfsdk:"type"`
	Description types.String `tfsdk:"description"`
	Labels      types.Map    `tfsdk:"labels"`
	Ref         types.String `tfsdk:"ref"`
	Images      types.Map    `tfsdk:"images"`
}

// Metadata implements datasource.DataSource.
func (d *productSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_product"
}

// Schema implements datasource.DataSource.
func (d *productSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A product, by `id`, or by `team_id` and `name`.",
		Attributes: with(keyAttributes("acme/shop", "team_id", "acme", "name"), map[string]schema.Attribute{
			"type":        text("`simple` or `complex`."),
			"description": text("Text for people."),
			"labels":      texts("Labels."),
			"ref":         text("What a deployment's `version` takes; null for a complex product."),
			"images":      texts("What runs, by component: image reference with digest; empty for a complex product."),
		}),
	}
}

// Read implements datasource.DataSource.
func (d *productSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m productModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.Ready(&resp.Diagnostics) {
		return
	}
	k := key{noun: "product", parts: 2, owner: "team_id", name: "name", id: m.ID, parent: m.TeamID, last: m.Name}
	id := k.find(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	found, err := d.Engine.Product(ctx, id)
	if err != nil {
		k.failed(id, err, &resp.Diagnostics)
		return
	}
	m.ID, m.TeamID, m.Name = types.StringValue(found.ID), types.StringValue(found.TeamID), types.StringValue(found.Name)
	m.Type, m.Description = types.StringValue(found.Type), attrs.OptionalString(found.Description)
	m.Labels = toMap(ctx, found.Labels, &resp.Diagnostics)
	m.Ref = attrs.OptionalString(found.Ref)
	m.Images = toMap(ctx, found.Images, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

package datasources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/session"
)

type registrySource struct{ session.DataSource }

func newRegistry() datasource.DataSource { return &registrySource{} }

type registryModel struct {
	ID            types.String `tfsdk:"id"`
	TeamID        types.String `tfsdk:"team_id"`
	Name          types.String `tfsdk:"name"`
	URL           types.String `tfsdk:"url"`
	Username      types.String `tfsdk:"username"`
	CACertificate types.String `tfsdk:"ca_certificate"`
}

// Metadata implements datasource.DataSource.
func (d *registrySource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_registry"
}

// Schema implements datasource.DataSource.
func (d *registrySource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A registry, by `id`, or by `team_id` and `name`. Its password never comes out.",
		Attributes: with(keyAttributes("acme/main", "team_id", "acme", "name"), map[string]schema.Attribute{
			"url":            text("`host[:port][/prefix]`."),
			"username":       text("User name, null when anonymous."),
			"ca_certificate": text("Certificates in PEM, null for the system's."),
		}),
	}
}

// Read implements datasource.DataSource.
func (d *registrySource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m registryModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.Ready(&resp.Diagnostics) {
		return
	}
	k := key{noun: "registry", parts: 2, owner: "team_id", name: "name", id: m.ID, parent: m.TeamID, last: m.Name}
	id := k.find(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	found, err := d.Engine.Registry(ctx, id)
	if err != nil {
		k.failed(id, err, &resp.Diagnostics)
		return
	}
	m.ID, m.TeamID, m.Name = types.StringValue(found.ID), types.StringValue(found.TeamID), types.StringValue(found.Name)
	m.URL, m.Username = types.StringValue(found.URL), attrs.OptionalString(found.Username)
	m.CACertificate = attrs.OptionalString(found.CACertificate)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

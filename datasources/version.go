package datasources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/session"
)

type versionSource struct{ session.DataSource }

func newVersion() datasource.DataSource { return &versionSource{} }

type versionModel struct {
	ID        types.String `tfsdk:"id"`
	ProductID types.String `tfsdk:"product_id"`
	Name      types.String `tfsdk:"name"`
	Type      types.String `tfsdk:"type"`
	ParentID  types.String `tfsdk:"parent_id"`
	Changelog types.String `tfsdk:"changelog"`
	Status    types.String `tfsdk:"status"`
	Number    types.Int64  `tfsdk:"number"`
	Digest    types.String `tfsdk:"digest"`
	Ref       types.String `tfsdk:"ref"`
	Sealed    types.Bool   `tfsdk:"sealed"`
	Images    types.Map    `tfsdk:"images"`
}

// Metadata implements datasource.DataSource.
func (d *versionSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_version"
}

// Schema implements datasource.DataSource.
func (d *versionSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A version, by `id`, or by `product_id` and `name`.",
		Attributes: with(keyAttributes("acme/shop/1.4.0", "product_id", "acme/shop", "name"), map[string]schema.Attribute{
			"type":      text("`incremental` or `rolling`."),
			"parent_id": text("Id of the version before it."),
			"changelog": text("What is new."),
			"status":    text("`active`, `preferred` or `deprecated`."),
			"number":    number("Place in the product's chain, from 1; null for a rolling version."),
			"digest":    text("Digest of the components, `sha256:…`."),
			"ref":       text("What a deployment's `version` takes."),
			"sealed":    truth("Its content can never change."),
			"images":    texts("What runs, by component: image reference with digest."),
		}),
	}
}

// Read implements datasource.DataSource.
func (d *versionSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m versionModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.Ready(&resp.Diagnostics) {
		return
	}
	k := key{noun: "version", parts: 3, owner: "product_id", name: "name", id: m.ID, parent: m.ProductID, last: m.Name}
	id := k.find(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	found, err := d.Engine.Version(ctx, id)
	if err != nil {
		k.failed(id, err, &resp.Diagnostics)
		return
	}
	m.ID, m.ProductID, m.Name = types.StringValue(found.ID), types.StringValue(found.ProductID), types.StringValue(found.Name)
	m.Type, m.ParentID = types.StringValue(found.Type), attrs.OptionalString(found.ParentID)
	m.Changelog, m.Status = attrs.OptionalString(found.Changelog), types.StringValue(found.Status)
	m.Number, m.Sealed = attrs.OptionalInt(found.Number), types.BoolValue(found.Sealed)
	m.Digest, m.Ref = types.StringValue(found.Digest), types.StringValue(found.Ref)
	m.Images = toMap(ctx, found.Images, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

package datasources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
	"github.com/slipwayhq/terraform-provider-slipway/resources/session"
)

type imageSource struct{ session.DataSource }

func newImage() datasource.DataSource { return &imageSource{} }

type imageModel struct {
	Reference types.String `tfsdk:"reference"`
	TeamID    types.String `tfsdk:"team_id"`
	Digest    types.String `tfsdk:"digest"`
	Platforms types.List   `tfsdk:"platforms"`
	Labels    types.Map    `tfsdk:"labels"`
}

// Metadata implements datasource.DataSource.
func (d *imageSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_image"
}

// Schema implements datasource.DataSource.
func (d *imageSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "What a registry says of an image reference.",
		Attributes: map[string]schema.Attribute{
			"reference": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Image reference, such as `registry.acme.dev/shop/api:1.4.0`.",
			},
			"team_id": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Id of the team whose registries have the credentials. Absent: anonymous.",
			},
			"digest":    text("Digest, `sha256:…`; that of the index when the image is for several platforms."),
			"platforms": list("Platforms it is for, such as `linux/amd64`."),
			"labels":    texts("Labels of the image."),
		},
	}
}

// Read implements datasource.DataSource.
func (d *imageSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m imageModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.Ready(&resp.Diagnostics) {
		return
	}
	found, err := d.Engine.ResolveImage(ctx, m.Reference.ValueString(), m.TeamID.ValueString())
	if err != nil {
		op := fwdiag.Op{Verb: "Read", Noun: "image", ID: m.Reference.ValueString()}
		resp.Diagnostics.Append(fwdiag.At(op, err, req.Config.Raw)...)
		return
	}
	m.Digest = types.StringValue(found.Digest)
	m.Platforms = attrs.List(found.Platforms)
	m.Labels = toMap(ctx, found.Labels, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

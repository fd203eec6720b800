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

type versionDiffSource struct{ session.DataSource }

func newVersionDiff() datasource.DataSource { return &versionDiffSource{} }

type versionDiffModel struct {
	From    types.String `tfsdk:"from"`
	To      types.String `tfsdk:"to"`
	Changes []difference `tfsdk:"changes"`
}

type difference struct {
	Component types.String `tfsdk:"component"`
	Change    types.String `tfsdk:"change"`
	Attribute types.String `tfsdk:"attribute"`
	From      types.String `tfsdk:"from"`
	To        types.String `tfsdk:"to"`
}

// Metadata implements datasource.DataSource.
func (d *versionDiffSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_version_diff"
}

// Schema implements datasource.DataSource.
func (d *versionDiffSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	version := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Required: true, MarkdownDescription: description}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "What changes from one version to another, by component and attribute. Defaults are filled in first, so that only what " +
			"really differs is listed; an image differs when its digest does.",
		Attributes: map[string]schema.Attribute{
			"from": version("Version to begin with: a `ref`, or `team/product/name`. It may be retired."),
			"to":   version("Version to compare it with, likewise."),
			"changes": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "Differences, in the order of components and attributes.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"component": text("Name of the component."),
					"change":    text("`added`, `removed` or `changed`."),
					"attribute": text("Path of the attribute, such as `env.LEVEL`; null when the whole component was added or removed."),
					"from":      text("Value before, lists as JSON; null when there was none. Of a whole component its image."),
					"to":        text("Value after."),
				}},
			},
		},
	}
}

// Read implements datasource.DataSource.
func (d *versionDiffSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m versionDiffModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.Ready(&resp.Diagnostics) {
		return
	}
	found, err := d.Engine.VersionDiff(ctx, m.From.ValueString(), m.To.ValueString())
	if err != nil {
		resp.Diagnostics.Append(fwdiag.At(fwdiag.Op{Verb: "Read", Noun: "version diff"}, err, req.Config.Raw)...)
		return
	}
	m.Changes = make([]difference, 0, len(found))
	for _, one := range found {
		change := "changed"
		switch {
		case one.Attribute == "" && one.From == nil:
			change = "added"
		case one.Attribute == "":
			change = "removed"
		}
		m.Changes = append(m.Changes, difference{
			Component: types.StringValue(one.Component), Change: types.StringValue(change), Attribute: attrs.OptionalString(one.Attribute),
			From: types.StringPointerValue(one.From), To: types.StringPointerValue(one.To),
		})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

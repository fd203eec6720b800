package datasources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
	"github.com/slipwayhq/terraform-provider-slipway/resources/session"
)

type versionsSource struct{ session.DataSource }

func newVersions() datasource.DataSource { return &versionsSource{} }

type versionsModel struct {
	ProductID  types.String    `tfsdk:"product_id"`
	Constraint types.String    `tfsdk:"constraint"`
	Status     types.String    `tfsdk:"status"`
	Versions   []versionInList `tfsdk:"versions"`
}

type versionInList struct {
	ID        types.String `tfsdk:"id"`
	Name      types.String `tfsdk:"name"`
	Type      types.String `tfsdk:"type"`
	ParentID  types.String `tfsdk:"parent_id"`
	Changelog types.String `tfsdk:"changelog"`
	Status    types.String `tfsdk:"status"`
	Number    types.Int64  `tfsdk:"number"`
	Ref       types.String `tfsdk:"ref"`
	Sealed    types.Bool   `tfsdk:"sealed"`
}

// Metadata implements datasource.DataSource.
func (d *versionsSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_versions"
}

// Schema implements datasource.DataSource.
func (d *versionsSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	status := filter("Only those with this status: `active`, `preferred` or `deprecated`.")
	status.Validators = []validator.String{stringvalidator.OneOf(engine.VersionActive, engine.VersionPreferred, engine.VersionDeprecated)}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Versions of a product that match every filter given. The first one is the newest: " +
			"a deployment can follow `data.slipway_versions.….versions[0].ref`.",
		Attributes: map[string]schema.Attribute{
			"product_id": schema.StringAttribute{Required: true, MarkdownDescription: "Id of the product, such as `acme/shop`."},
			"constraint": filter("Only incremental versions whose name satisfies this constraint, such as `>= 1.2, < 2` or `~1.4`. " +
				"Pre-releases match only a constraint that names one, such as `>= 2.0.0-0`."),
			"status": status,
			"versions": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "Incremental versions from the highest down, then rolling ones by name. Retired versions are left out.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"id":        text("Id, such as `acme/shop/1.4.0`."),
					"name":      text("Name, such as `1.4.0`."),
					"type":      text("`incremental` or `rolling`."),
					"parent_id": text("Id of the version before it."),
					"changelog": text("What is new."),
					"status":    text("`active`, `preferred` or `deprecated`."),
					"number":    number("Place in the product's chain, from 1; null for a rolling version."),
					"ref":       text("What a deployment's `version` takes."),
					"sealed":    truth("Its content can never change."),
				}},
			},
		},
	}
}

// Read implements datasource.DataSource.
func (d *versionsSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m versionsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.Ready(&resp.Diagnostics) {
		return
	}
	found, err := d.Engine.Versions(ctx, engine.VersionFilter{
		ProductID: m.ProductID.ValueString(), Constraint: m.Constraint.ValueString(), Status: m.Status.ValueString(),
	})
	if err != nil {
		resp.Diagnostics.Append(fwdiag.At(fwdiag.Op{Verb: "Read", Noun: "versions"}, err, req.Config.Raw)...)
		return
	}
	m.Versions = make([]versionInList, 0, len(found))
	for _, v := range found {
		m.Versions = append(m.Versions, versionInList{
			ID: types.StringValue(v.ID), Name: types.StringValue(v.Name), Type: types.StringValue(v.Type),
			ParentID: attrs.OptionalString(v.ParentID), Changelog: attrs.OptionalString(v.Changelog), Status: types.StringValue(v.Status),
			Number: attrs.OptionalInt(v.Number), Ref: types.StringValue(v.Ref), Sealed: types.BoolValue(v.Sealed),
		})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

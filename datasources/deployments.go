package datasources

import (
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
	"github.com/slipwayhq/terraform-provider-slipway/resources/session"
)

type deploymentsSource struct{ session.DataSource }

func newDeployments() datasource.DataSource { return &deploymentsSource{} }

type deploymentsModel struct {
	TeamID        types.String       `tfsdk:"team_id"`
	EnvironmentID types.String       `tfsdk:"environment_id"`
	ProductID     types.String       `tfsdk:"product_id"`
	Version       types.String       `tfsdk:"version"`
	Status        types.String       `tfsdk:"status"`
	Deployments   []deploymentInList `tfsdk:"deployments"`
}

type deploymentInList struct {
	ID            types.String `tfsdk:"id"`
	EnvironmentID types.String `tfsdk:"environment_id"`
	Prefix        types.String `tfsdk:"prefix"`
	NodeID        types.String `tfsdk:"node_id"`
	Version       types.String `tfsdk:"version"`
	Status        types.String `tfsdk:"status"`
	Health        types.String `tfsdk:"health"`
	Revision      types.Int64  `tfsdk:"revision"`
}

// Metadata implements datasource.DataSource.
func (d *deploymentsSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_deployments"
}

// Schema implements datasource.DataSource.
func (d *deploymentsSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	status := filter("Only those whose newest revision has this status: `preparing`, `in_progress`, `successful`, `failed`, `obsolete` or `downgraded`.")
	status.Validators = []validator.String{stringvalidator.OneOf(
		string(engine.RevisionPreparing), string(engine.RevisionInProgress), string(engine.RevisionSuccessful),
		string(engine.RevisionFailed), string(engine.RevisionObsolete), string(engine.RevisionDowngraded),
	)}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Deployments that match every filter given; all of them without one.",
		Attributes: map[string]schema.Attribute{
			"team_id":        filter("Only those of this team, such as `acme`."),
			"environment_id": filter("Only those of this environment, such as `acme/production`."),
			"product_id":     filter("Only those of this product, such as `acme/shop`."),
			"version":        filter("Only those where this version serves: a `ref`, or `team/product/name`."),
			"status":         status,
			"deployments": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "Deployments, in the order of their ids.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"id":             text("Id, such as `acme/production/shop`."),
					"environment_id": text("Id of its environment."),
					"prefix":         text("Name on its node."),
					"node_id":        text("Id of its node."),
					"version":        text("Ref of the version that serves."),
					"status":         text("Status of the newest revision."),
					"health":         text("`healthy`, `degraded`, `unhealthy` or `unknown`."),
					"revision":       number("Number of the newest revision."),
				}},
			},
		},
	}
}

func filter(description string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional:            true,
		MarkdownDescription: description,
		Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
	}
}

// Read implements datasource.DataSource.
func (d *deploymentsSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m deploymentsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.Ready(&resp.Diagnostics) {
		return
	}
	found, err := d.Engine.Deployments(ctx, engine.DeploymentFilter{
		TeamID: m.TeamID.ValueString(), EnvironmentID: m.EnvironmentID.ValueString(), ProductID: m.ProductID.ValueString(),
		Version: m.Version.ValueString(), Status: m.Status.ValueString(),
	})
	if err != nil {
		resp.Diagnostics.Append(fwdiag.From(fwdiag.Op{Verb: "Read", Noun: "deployments"}, err)...)
		return
	}
	slices.SortFunc(found, func(a, b engine.Deployment) int { return strings.Compare(a.ID, b.ID) })
	m.Deployments = make([]deploymentInList, 0, len(found))
	for _, one := range found {
		m.Deployments = append(m.Deployments, deploymentInList{
			ID:            types.StringValue(one.ID),
			EnvironmentID: types.StringValue(one.EnvironmentID),
			Prefix:        types.StringValue(one.Prefix),
			NodeID:        types.StringValue(one.Observed.NodeID),
			Version:       types.StringValue(servingVersion(one)),
			Status:        types.StringValue(string(one.Observed.Status)),
			Health:        types.StringValue(one.Observed.Health),
			Revision:      types.Int64Value(int64(one.Observed.Revision)),
		})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

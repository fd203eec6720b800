package datasources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
	"github.com/slipwayhq/terraform-provider-slipway/resources/session"
)

type revisionsSource struct{ session.DataSource }

func newRevisions() datasource.DataSource { return &revisionsSource{} }

type revisionsModel struct {
	DeploymentID types.String     `tfsdk:"deployment_id"`
	Revisions    []revisionInList `tfsdk:"revisions"`
}

type revisionInList struct {
	Number      types.Int64  `tfsdk:"number"`
	Version     types.String `tfsdk:"version"`
	VersionName types.String `tfsdk:"version_name"`
	Status      types.String `tfsdk:"status"`
	Cause       types.String `tfsdk:"cause"`
	Reason      types.String `tfsdk:"reason"`
	StartedAt   types.String `tfsdk:"started_at"`
	FinishedAt  types.String `tfsdk:"finished_at"`
	Images      types.Map    `tfsdk:"images"`
	OperationID types.String `tfsdk:"operation_id"`

	Snapshots []snapshotInList `tfsdk:"snapshots"`
}

type snapshotInList struct {
	Volume  types.String `tfsdk:"volume"`
	Name    types.String `tfsdk:"name"`
	Bytes   types.Int64  `tfsdk:"bytes"`
	TakenAt types.String `tfsdk:"taken_at"`
}

// Metadata implements datasource.DataSource.
func (d *revisionsSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_revisions"
}

// Schema implements datasource.DataSource.
func (d *revisionsSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "History of a deployment: every attempt to bring it to a version, the newest first.",
		Attributes: map[string]schema.Attribute{
			"deployment_id": schema.StringAttribute{Required: true, MarkdownDescription: "Id of the deployment, such as `acme/production/shop`."},
			"revisions": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "Revisions, newest first.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"number":       number("Number of the revision, from 1."),
					"version":      text("Ref of the version."),
					"version_name": text("Name of the version, such as `1.4.0`."),
					"status":       text("`preparing`, `in_progress`, `successful`, `failed`, `obsolete` (a newer one succeeded) or `downgraded` (the deployment went back behind it)."),
					"cause":        text("Why it was made, such as `create`, `update`, `rollback` or `repair`."),
					"reason":       text("Why it failed; null when it did not."),
					"started_at":   text("When it began, RFC 3339."),
					"finished_at":  text("When it ended, RFC 3339; null while it is in progress."),
					"images":       texts("What ran, by component: image reference with digest."),
					"operation_id": text("Id of the operation that made it: see `slipway_operations`."),
					"snapshots": schema.ListNestedAttribute{
						Computed:            true,
						MarkdownDescription: "Snapshots of its data that are on the node, the oldest first.",
						NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
							"volume":   text("Volume, as `component/volume`."),
							"name":     text("Name of the snapshot on the node: the id of the operation that took it; with `-left` behind it for what a failed rollout left in the volume."),
							"bytes":    number("Size of the files."),
							"taken_at": text("When it was taken, RFC 3339."),
						}},
					},
				}},
			},
		},
	}
}

// Read implements datasource.DataSource.
func (d *revisionsSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m revisionsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.Ready(&resp.Diagnostics) {
		return
	}
	found, err := d.Engine.Revisions(ctx, m.DeploymentID.ValueString())
	if err != nil {
		op := fwdiag.Op{Verb: "Read", Noun: "revisions", ID: m.DeploymentID.ValueString()}
		resp.Diagnostics.Append(fwdiag.At(op, err, req.Config.Raw)...)
		return
	}
	m.Revisions = make([]revisionInList, 0, len(found))
	for _, r := range found {
		m.Revisions = append(m.Revisions, revisionInList{
			Number: types.Int64Value(int64(r.Number)), Version: types.StringValue(r.VersionRef), VersionName: types.StringValue(r.VersionName),
			Status: types.StringValue(string(r.Status)), Cause: types.StringValue(r.Cause), Reason: attrs.OptionalString(r.Reason),
			StartedAt: moment(r.StartedAt), FinishedAt: moment(r.FinishedAt),
			Images: toMap(ctx, r.Images, &resp.Diagnostics), OperationID: attrs.OptionalString(r.OperationID),
			Snapshots: snapshotsInList(r.Snapshots),
		})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

func snapshotsInList(found []engine.Snapshot) []snapshotInList {
	all := make([]snapshotInList, 0, len(found))
	for _, s := range found {
		all = append(all, snapshotInList{
			Volume: types.StringValue(s.Volume), Name: types.StringValue(s.Name), Bytes: types.Int64Value(s.Bytes), TakenAt: moment(s.TakenAt),
		})
	}
	return all
}

package datasources

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
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

// defaultOperations is how many operations are read when no limit says otherwise.
const defaultOperations = 20

type operationsSource struct{ session.DataSource }

func newOperations() datasource.DataSource { return &operationsSource{} }

type operationsModel struct {
	DeploymentID types.String      `tfsdk:"deployment_id"`
	Status       types.String      `tfsdk:"status"`
	Limit        types.Int64       `tfsdk:"limit"`
	Operations   []operationInList `tfsdk:"operations"`
}

type operationInList struct {
	ID           types.String `tfsdk:"id"`
	DeploymentID types.String `tfsdk:"deployment_id"`
	Kind         types.String `tfsdk:"kind"`
	Status       types.String `tfsdk:"status"`
	Owner        types.String `tfsdk:"owner"`
	Error        types.String `tfsdk:"error"`
	ErrorCode    types.String `tfsdk:"error_code"`
	StartedAt    types.String `tfsdk:"started_at"`
	FinishedAt   types.String `tfsdk:"finished_at"`
	Steps        []stepInList `tfsdk:"steps"`
}

type stepInList struct {
	Name       types.String `tfsdk:"name"`
	Component  types.String `tfsdk:"component"`
	Status     types.String `tfsdk:"status"`
	Attempt    types.Int64  `tfsdk:"attempt"`
	Detail     types.String `tfsdk:"detail"`
	StartedAt  types.String `tfsdk:"started_at"`
	FinishedAt types.String `tfsdk:"finished_at"`
}

// Metadata implements datasource.DataSource.
func (d *operationsSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_operations"
}

// Schema implements datasource.DataSource.
func (d *operationsSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	status := filter("Only those with this status: `running`, `succeeded`, `failed` or `interrupted` (its process ended first).")
	status.Validators = []validator.String{stringvalidator.OneOf(string(engine.OperationRunning), string(engine.OperationSucceeded),
		string(engine.OperationFailed), string(engine.OperationInterrupted))}
	resp.Schema = schema.Schema{
		MarkdownDescription: "What the engine did to deployments, step by step: where to look up the operation that a failed apply names.",
		Attributes: map[string]schema.Attribute{
			"deployment_id": filter("Only those on this deployment, such as `acme/production/shop`; it may be gone."),
			"status":        status,
			"limit": schema.Int64Attribute{
				Optional: true, MarkdownDescription: "At most that many, the newest. Default 20.",
				Validators: []validator.Int64{int64validator.AtLeast(1)},
			},
			"operations": schema.ListNestedAttribute{
				Computed:            true,
				MarkdownDescription: "Operations, newest first.",
				NestedObject:        schema.NestedAttributeObject{Attributes: operationAttributes()},
			},
		},
	}
}

func operationAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"id":            text("Id, `op_…`."),
		"deployment_id": text("Id of the deployment."),
		"kind":          text("What was to be done, such as `create`, `update` or `delete`."),
		"status":        text("`running`, `succeeded`, `failed` or `interrupted`."),
		"owner":         text("Process and machine that did it."),
		"error":         text("Why it failed; null when it did not."),
		"error_code":    text("What kind of failure it was, for programs: a class, and of a rollout the phase, such as `failed/check`, `unavailable/pull`, `conflict` or `interrupted`; null when it did not fail."),
		"started_at":    text("When it began, RFC 3339."),
		"finished_at":   text("When it ended, RFC 3339; null while it runs."),
		"steps": schema.ListNestedAttribute{
			Computed:            true,
			MarkdownDescription: "Its steps, in the order in which they began.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"name":        text("What was done, such as `pull` or `start api-2-1`."),
				"component":   text("Component that it was done for; null for the whole deployment."),
				"status":      text("`started`, `done` or `failed`."),
				"attempt":     number("How often it was tried, from 1."),
				"detail":      text("Why it failed; null when there is nothing to say."),
				"started_at":  text("When it began, RFC 3339."),
				"finished_at": text("When it ended, RFC 3339; null while it runs."),
			}},
		},
	}
}

// Read implements datasource.DataSource.
func (d *operationsSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m operationsModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.Ready(&resp.Diagnostics) {
		return
	}
	f := engine.OperationFilter{
		DeploymentID: m.DeploymentID.ValueString(), Status: engine.OperationStatus(m.Status.ValueString()), Limit: defaultOperations,
	}
	if !m.Limit.IsNull() {
		f.Limit = int(m.Limit.ValueInt64())
	}
	found, err := d.Engine.Operations(ctx, f)
	if err != nil {
		resp.Diagnostics.Append(fwdiag.From(fwdiag.Op{Verb: "Read", Noun: "operations"}, err)...)
		return
	}
	m.Operations = make([]operationInList, 0, len(found))
	for _, o := range found {
		m.Operations = append(m.Operations, operationInList{
			ID: types.StringValue(o.ID), DeploymentID: types.StringValue(o.DeploymentID), Kind: types.StringValue(o.Kind),
			Status: types.StringValue(string(o.Status)), Owner: attrs.OptionalString(o.Owner), Error: attrs.OptionalString(o.Error), ErrorCode: attrs.OptionalString(o.Code),
			StartedAt: moment(o.StartedAt), FinishedAt: moment(o.FinishedAt), Steps: stepsOf(o),
		})
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

func stepsOf(o engine.Operation) []stepInList {
	all := make([]stepInList, 0, len(o.Steps))
	for _, s := range o.Steps {
		all = append(all, stepInList{
			Name: types.StringValue(s.Name), Component: attrs.OptionalString(s.Component), Status: types.StringValue(string(s.Status)),
			Attempt: types.Int64Value(int64(s.Attempt)), Detail: attrs.OptionalString(s.Detail),
			StartedAt: moment(s.StartedAt), FinishedAt: moment(s.FinishedAt),
		})
	}
	return all
}

// moment is RFC 3339, null for never.
func moment(t time.Time) types.String {
	if t.IsZero() {
		return types.StringNull()
	}
	return types.StringValue(t.UTC().Format(time.RFC3339Nano))
}

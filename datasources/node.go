package datasources

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/session"
)

type nodeSource struct{ session.DataSource }

func newNode() datasource.DataSource { return &nodeSource{} }

type nodeModel struct {
	ID             types.String `tfsdk:"id"`
	TeamID         types.String `tfsdk:"team_id"`
	Name           types.String `tfsdk:"name"`
	Description    types.String `tfsdk:"description"`
	Labels         types.Map    `tfsdk:"labels"`
	Allocation     types.String `tfsdk:"allocation"`
	Kind           types.String `tfsdk:"kind"`
	Status         types.String `tfsdk:"status"`
	Platform       types.String `tfsdk:"platform"`
	RuntimeVersion types.String `tfsdk:"runtime_version"`
	Address        types.String `tfsdk:"address"`
	Ingress        *ingressRead `tfsdk:"ingress"`
	Drift          types.List   `tfsdk:"drift"`
}

type ingressRead struct {
	HTTPPort  types.Int64  `tfsdk:"http_port"`
	HTTPSPort types.Int64  `tfsdk:"https_port"`
	TCPPorts  types.List   `tfsdk:"tcp_ports"`
	Image     types.String `tfsdk:"image"`
}

// Metadata implements datasource.DataSource.
func (d *nodeSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_node"
}

// Schema implements datasource.DataSource.
func (d *nodeSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A node, by `id`, or by `team_id` and `name`, and what it says of itself now.",
		Attributes: with(keyAttributes("acme/here", "team_id", "acme", "name"), map[string]schema.Attribute{
			"description":     text("Text for people."),
			"labels":          texts("Labels."),
			"allocation":      text("`open`, `closed` or `drain`."),
			"kind":            text("`local` or `docker`."),
			"status":          text("`ready`, `unreachable` or `foreign`."),
			"platform":        text("Such as `linux/amd64`."),
			"runtime_version": text("Version of what runs instances there."),
			"address":         text("IP address where published ports listen."),
			"ingress":         ingress(),
			"drift":           list("What differs of its ingress from what should be."),
		}),
	}
}

func ingress() schema.Attribute {
	return schema.SingleNestedAttribute{
		Computed:            true,
		MarkdownDescription: "What it offers routes; null when it serves none.",
		Attributes: map[string]schema.Attribute{
			"http_port":  number("Port for HTTP."),
			"https_port": number("Port for HTTPS."),
			"tcp_ports": schema.ListAttribute{
				Computed: true, ElementType: types.Int64Type, MarkdownDescription: "Ports for tcp routes.",
			},
			"image": text("OCI image of the proxy."),
		},
	}
}

func readIngress(ctx context.Context, n *engine.NodeIngress, diags *diag.Diagnostics) *ingressRead {
	if n == nil {
		return nil
	}
	filled := n.WithDefaults()
	ports, more := types.ListValueFrom(ctx, types.Int64Type, append([]int{}, filled.TCPPorts...))
	diags.Append(more...)
	return &ingressRead{
		HTTPPort: types.Int64Value(int64(filled.HTTPPort)), HTTPSPort: types.Int64Value(int64(filled.HTTPSPort)),
		TCPPorts: ports, Image: types.StringValue(filled.Image),
	}
}

// Read implements datasource.DataSource.
func (d *nodeSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m nodeModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() || !d.Ready(&resp.Diagnostics) {
		return
	}
	k := key{noun: "node", parts: 2, owner: "team_id", name: "name", id: m.ID, parent: m.TeamID, last: m.Name}
	id := k.find(&resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	found, err := d.Engine.Node(ctx, id)
	if err != nil {
		k.failed(id, err, &resp.Diagnostics)
		return
	}
	status, err := d.Engine.NodeStatus(ctx, id)
	if err != nil {
		k.failed(id, err, &resp.Diagnostics)
		return
	}
	m.ID, m.TeamID, m.Name = types.StringValue(found.ID), types.StringValue(found.TeamID), types.StringValue(found.Name)
	m.Description = attrs.OptionalString(found.Description)
	m.Labels = toMap(ctx, found.Labels, &resp.Diagnostics)
	m.Allocation, m.Kind = types.StringValue(found.Allocation), types.StringValue(string(found.Kind))
	m.Status, m.Platform = types.StringValue(status.State), attrs.OptionalString(status.Platform)
	m.RuntimeVersion, m.Address = attrs.OptionalString(status.RuntimeVersion), attrs.OptionalString(status.Address)
	m.Ingress, m.Drift = readIngress(ctx, found.Ingress, &resp.Diagnostics), attrs.List(status.Drift)
	resp.Diagnostics.Append(resp.State.Set(ctx, &m)...)
}

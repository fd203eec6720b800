package node

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
)

type model struct {
	ID             types.String    `tfsdk:"id"`
	TeamID         types.String    `tfsdk:"team_id"`
	Name           types.String    `tfsdk:"name"`
	Description    types.String    `tfsdk:"description"`
	Labels         types.Map       `tfsdk:"labels"`
	Allocation     types.String    `tfsdk:"allocation"`
	Local          *localModel     `tfsdk:"local"`
	Docker         *dockerModel    `tfsdk:"docker"`
	Ingress        *ingressModel   `tfsdk:"ingress"`
	ImageRetention *retentionModel `tfsdk:"image_retention"`
	Status         types.String    `tfsdk:"status"`
	Platform       types.String    `tfsdk:"platform"`
	RuntimeVersion types.String    `tfsdk:"runtime_version"`
	Address        types.String    `tfsdk:"address"`
	Drift          types.List      `tfsdk:"drift"`
}

type localModel struct {
	Root    types.String `tfsdk:"root"`
	Address types.String `tfsdk:"address"`
}

type retentionModel struct {
	KeepVersions types.Int64 `tfsdk:"keep_versions"`
}

func (m *model) toEngine() engine.Node {
	n := engine.Node{
		ID:           engine.JoinID(m.TeamID.ValueString(), m.Name.ValueString()),
		TeamID:       m.TeamID.ValueString(),
		Name:         m.Name.ValueString(),
		Description:  m.Description.ValueString(),
		Labels:       attrs.ToStrings(m.Labels),
		Allocation:   m.Allocation.ValueString(),
		KeepVersions: defaultKeepVersions,
	}
	if m.ImageRetention != nil {
		n.KeepVersions = int(m.ImageRetention.KeepVersions.ValueInt64())
	}
	if m.Local != nil {
		n.Kind = engine.NodeLocal
		n.Local = &engine.LocalNode{Root: m.Local.Root.ValueString(), Address: m.Local.Address.ValueString()}
	}
	if m.Docker != nil {
		n.Kind = engine.NodeDocker
		n.Docker = m.Docker.toEngine()
	}
	if m.Ingress != nil {
		n.Ingress = m.Ingress.toEngine()
	}
	return n
}

func (m *model) fromEngine(ctx context.Context, n engine.Node, diags *diag.Diagnostics) {
	m.ID = types.StringValue(n.ID)
	m.TeamID = types.StringValue(n.TeamID)
	m.Name = types.StringValue(n.Name)
	m.Description = attrs.OptionalString(n.Description)
	m.Labels = attrs.Strings(ctx, n.Labels, m.Labels, diags)
	m.Allocation = types.StringValue(n.Allocation)
	m.Local = nil
	if n.Local != nil {
		m.Local = &localModel{Root: attrs.OptionalString(n.Local.Root), Address: types.StringValue(n.Local.Address)}
	}
	if n.Docker != nil {
		m.Docker = dockerFromEngine(ctx, *n.Docker, m.Docker, diags)
	} else {
		m.Docker = nil
	}
	if n.Ingress != nil {
		m.Ingress = ingressFromEngine(ctx, *n.Ingress, m.Ingress, diags)
	} else {
		m.Ingress = nil
	}
	if m.ImageRetention != nil || n.KeepVersions != defaultKeepVersions {
		m.ImageRetention = &retentionModel{KeepVersions: types.Int64Value(int64(n.KeepVersions))}
	}
}

// fromStatus takes over what the node says of itself; what it does not say
// keeps its last value.
func (m *model) fromStatus(s engine.NodeStatus) {
	m.Status = types.StringValue(s.State)
	m.Platform = lastKnown(s.Platform, m.Platform)
	m.RuntimeVersion = lastKnown(s.RuntimeVersion, m.RuntimeVersion)
	m.Address = lastKnown(s.Address, m.Address)
}

func lastKnown(now string, before types.String) types.String {
	if now == "" && !before.IsUnknown() {
		return before
	}
	return attrs.OptionalString(now)
}

package environment

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
)

type model struct {
	ID                 types.String `tfsdk:"id"`
	TeamID             types.String `tfsdk:"team_id"`
	Name               types.String `tfsdk:"name"`
	NodeID             types.String `tfsdk:"node_id"`
	Type               types.String `tfsdk:"type"`
	Description        types.String `tfsdk:"description"`
	Variables          types.Map    `tfsdk:"variables"`
	SecretsWO          types.Map    `tfsdk:"secrets_wo"`
	SecretsWOVersion   types.Int64  `tfsdk:"secrets_wo_version"`
	PromotesFromID     types.String `tfsdk:"promotes_from_id"`
	MinSoak            types.String `tfsdk:"min_soak"`
	DeletionProtection types.Bool   `tfsdk:"deletion_protection"`
	SecretNames        types.List   `tfsdk:"secret_names"`
}

func (m *model) toEngine() engine.Environment {
	return engine.Environment{
		ID:                 engine.JoinID(m.TeamID.ValueString(), m.Name.ValueString()),
		TeamID:             m.TeamID.ValueString(),
		Name:               m.Name.ValueString(),
		NodeID:             m.NodeID.ValueString(),
		Type:               m.Type.ValueString(),
		Description:        m.Description.ValueString(),
		Variables:          attrs.ToVariables(m.Variables),
		PromotesFromID:     m.PromotesFromID.ValueString(),
		MinSoak:            m.MinSoak.ValueString(),
		DeletionProtection: m.DeletionProtection.ValueBool(),
		SecretsVersion:     m.SecretsWOVersion.ValueInt64Pointer(),
	}
}

func (m *model) fromEngine(ctx context.Context, e engine.Environment, diags *diag.Diagnostics) {
	m.ID = types.StringValue(e.ID)
	m.TeamID = types.StringValue(e.TeamID)
	m.Name = types.StringValue(e.Name)
	m.NodeID = types.StringValue(e.NodeID)
	m.Type = types.StringValue(e.Type)
	m.Description = attrs.OptionalString(e.Description)
	m.Variables = attrs.Variables(ctx, e.Variables, m.Variables, diags)
	m.SecretsWO = types.MapNull(types.StringType)
	m.SecretsWOVersion = types.Int64PointerValue(e.SecretsVersion)
	m.PromotesFromID = attrs.OptionalString(e.PromotesFromID)
	m.MinSoak = attrs.OptionalString(e.MinSoak)
	m.DeletionProtection = types.BoolValue(e.DeletionProtection)
	m.SecretNames = attrs.List(e.SecretNames)
}

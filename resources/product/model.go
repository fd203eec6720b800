package product

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/component"
)

type model struct {
	ID          types.String `tfsdk:"id"`
	TeamID      types.String `tfsdk:"team_id"`
	Name        types.String `tfsdk:"name"`
	Type        types.String `tfsdk:"type"`
	Description types.String `tfsdk:"description"`
	Labels      types.Map    `tfsdk:"labels"`
	Components  types.Map    `tfsdk:"components"`
	Ref         types.String `tfsdk:"ref"`
	Images      types.Map    `tfsdk:"images"`
}

func (m *model) toEngine(ctx context.Context) (engine.Product, error) {
	components, err := component.FromMap(ctx, m.Components)
	return engine.Product{
		ID:          engine.JoinID(m.TeamID.ValueString(), m.Name.ValueString()),
		TeamID:      m.TeamID.ValueString(),
		Name:        m.Name.ValueString(),
		Type:        m.Type.ValueString(),
		Description: m.Description.ValueString(),
		Labels:      attrs.ToStrings(m.Labels),
		Components:  components,
		Images:      attrs.ToStrings(m.Images),
	}, err
}

func (m *model) fromEngine(ctx context.Context, p engine.Product, diags *diag.Diagnostics) {
	m.ID = types.StringValue(p.ID)
	m.TeamID = types.StringValue(p.TeamID)
	m.Name = types.StringValue(p.Name)
	m.Type = types.StringValue(p.Type)
	m.Description = attrs.OptionalString(p.Description)
	m.Labels = attrs.Strings(ctx, p.Labels, m.Labels, diags)
	m.Components = component.ToMap(ctx, p.Components, m.Components, diags)
	m.Ref = attrs.OptionalString(p.Ref)
	m.Images = attrs.Strings(ctx, p.Images, types.MapNull(types.StringType), diags)
}

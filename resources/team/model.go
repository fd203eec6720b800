package team

import (
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
)

type model struct {
	ID          types.String `tfsdk:"id"`
	Name        types.String `tfsdk:"name"`
	Description types.String `tfsdk:"description"`
}

func (m *model) toEngine() engine.Team {
	return engine.Team{ID: m.Name.ValueString(), Name: m.Name.ValueString(), Description: m.Description.ValueString()}
}

func (m *model) fromEngine(t engine.Team) {
	m.ID = types.StringValue(t.ID)
	m.Name = types.StringValue(t.Name)
	m.Description = attrs.OptionalString(t.Description)
}

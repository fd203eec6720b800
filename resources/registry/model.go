package registry

import (
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
)

type model struct {
	ID                types.String `tfsdk:"id"`
	TeamID            types.String `tfsdk:"team_id"`
	Name              types.String `tfsdk:"name"`
	URL               types.String `tfsdk:"url"`
	Username          types.String `tfsdk:"username"`
	PasswordWO        types.String `tfsdk:"password_wo"`
	PasswordWOVersion types.Int64  `tfsdk:"password_wo_version"`
	CACertificate     types.String `tfsdk:"ca_certificate"`
}

func (m *model) toEngine() engine.Registry {
	return engine.Registry{
		ID:            engine.JoinID(m.TeamID.ValueString(), m.Name.ValueString()),
		TeamID:        m.TeamID.ValueString(),
		Name:          m.Name.ValueString(),
		URL:           m.URL.ValueString(),
		Username:      m.Username.ValueString(),
		CACertificate: m.CACertificate.ValueString(),

		PasswordVersion: m.PasswordWOVersion.ValueInt64Pointer(),
	}
}

func (m *model) fromEngine(r engine.Registry) {
	m.ID = types.StringValue(r.ID)
	m.TeamID = types.StringValue(r.TeamID)
	m.Name = types.StringValue(r.Name)
	m.URL = types.StringValue(r.URL)
	m.Username = attrs.OptionalString(r.Username)
	m.CACertificate = attrs.OptionalString(r.CACertificate)
	m.PasswordWO = types.StringNull()
	m.PasswordWOVersion = types.Int64PointerValue(r.PasswordVersion)
}

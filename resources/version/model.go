package version

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/component"
)

type model struct {
	ID         types.String `tfsdk:"id"`
	ProductID  types.String `tfsdk:"product_id"`
	Name       types.String `tfsdk:"name"`
	Type       types.String `tfsdk:"type"`
	ParentID   types.String `tfsdk:"parent_id"`
	Changelog  types.String `tfsdk:"changelog"`
	Status     types.String `tfsdk:"status"`
	Components types.Map    `tfsdk:"components"`
	Number     types.Int64  `tfsdk:"number"`
	Digest     types.String `tfsdk:"digest"`
	Ref        types.String `tfsdk:"ref"`
	Sealed     types.Bool   `tfsdk:"sealed"`
	Images     types.Map    `tfsdk:"images"`
}

// toEngine gives what the user wrote, with the images that the plan promised.
func (m *model) toEngine(ctx context.Context) (engine.Version, error) {
	components, err := component.FromMap(ctx, m.Components)
	return engine.Version{
		ID:         engine.JoinID(m.ProductID.ValueString(), m.Name.ValueString()),
		ProductID:  m.ProductID.ValueString(),
		Name:       m.Name.ValueString(),
		Type:       m.Type.ValueString(),
		ParentID:   m.ParentID.ValueString(),
		Changelog:  m.Changelog.ValueString(),
		Status:     m.Status.ValueString(),
		Components: components,
		Images:     attrs.ToStrings(m.Images),
	}, err
}

func (m *model) fromEngine(ctx context.Context, v engine.Version, diags *diag.Diagnostics) {
	m.ID = types.StringValue(v.ID)
	m.ProductID = types.StringValue(v.ProductID)
	m.Name = types.StringValue(v.Name)
	m.Type = types.StringValue(v.Type)
	m.ParentID = attrs.OptionalString(v.ParentID)
	if !(m.Changelog.ValueString() == "" && v.Changelog == "") { // null and "" mean the same
		m.Changelog = types.StringValue(v.Changelog)
	}
	m.Status = types.StringValue(v.Status)
	m.Components = component.ToMap(ctx, v.Components, m.Components, diags)
	m.Number = attrs.OptionalInt(v.Number)
	m.Digest = types.StringValue(v.Digest)
	m.Ref = types.StringValue(v.Ref)
	m.Sealed = types.BoolValue(v.Sealed)
	m.Images = attrs.Strings(ctx, v.Images, types.MapNull(types.StringType), diags)
}

package main

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipwayhq/terraform-provider-slipway/resources/version"
)

// wide is floor_version: a thing with the schema of slipway_version. What it
// costs beyond floor_thing is the size of that schema, whatever a provider does.
type wide struct{ thing }

func (wide) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = "floor_version"
}

func (wide) Schema(ctx context.Context, req resource.SchemaRequest, resp *resource.SchemaResponse) {
	version.New().Schema(ctx, req, resp)
}

func (wide) Create(_ context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	known, err := tftypes.Transform(req.Plan.Raw, func(_ *tftypes.AttributePath, v tftypes.Value) (tftypes.Value, error) {
		if v.IsKnown() {
			return v, nil
		}
		return tftypes.NewValue(v.Type(), nil), nil
	})
	if err != nil {
		resp.Diagnostics.AddError("Unusable plan", err.Error())
		return
	}
	resp.State.Raw = known
}

package session

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
)

// PlanDelete refuses a plan that destroys or replaces what the engine would not
// let go.
func (s *Session) PlanDelete(ctx context.Context, kind engine.Kind, req resource.ModifyPlanRequest, diags *diag.Diagnostics) {
	var id types.String
	diags.Append(req.State.GetAttribute(ctx, path.Root("id"), &id)...)
	if diags.HasError() {
		return
	}
	err := s.Engine.PlanDelete(ctx, kind, id.ValueString())
	diags.Append(fwdiag.At(fwdiag.Op{Verb: "Destroy", Noun: string(kind), ID: id.ValueString()}, err, req.State.Raw)...)
}

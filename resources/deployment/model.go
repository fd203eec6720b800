package deployment

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/component"
)

type model struct {
	ID                 types.String   `tfsdk:"id"`
	EnvironmentID      types.String   `tfsdk:"environment_id"`
	Version            types.String   `tfsdk:"version"`
	Prefix             types.String   `tfsdk:"prefix"`
	DesiredState       types.String   `tfsdk:"desired_state"`
	Variables          types.Map      `tfsdk:"variables"`
	SecretsWO          types.Map      `tfsdk:"secrets_wo"`
	SecretsWOVersion   types.Int64    `tfsdk:"secrets_wo_version"`
	Components         types.Map      `tfsdk:"components"`
	Strategy           types.Object   `tfsdk:"strategy"`
	RestoreData        types.Bool     `tfsdk:"restore_data"`
	KeepSnapshots      types.Int64    `tfsdk:"keep_snapshots"`
	RestartTrigger     types.String   `tfsdk:"restart_trigger"`
	DeletionProtection types.Bool     `tfsdk:"deletion_protection"`
	Timeouts           timeouts.Value `tfsdk:"timeouts"`
	NodeID             types.String   `tfsdk:"node_id"`
	Status             types.String   `tfsdk:"status"`
	Health             types.String   `tfsdk:"health"`
	Revision           types.Int64    `tfsdk:"revision"`
	PreviousVersion    types.String   `tfsdk:"previous_version"`
	Instances          types.Map      `tfsdk:"instances"`
	Endpoints          types.Map      `tfsdk:"endpoints"`
	URLs               types.Map      `tfsdk:"urls"`
	Drift              types.List     `tfsdk:"drift"`
	Changes            types.List     `tfsdk:"changes"`
	OperationID        types.String   `tfsdk:"operation_id"`
	PromotionStatus    types.String   `tfsdk:"promotion_status"`
}

// inputs are the attributes that the engine acts on and the configuration alone
// decides: timeouts is not one, nor deletion_protection, which has a default of its own.
var inputs = []string{
	"environment_id", "version", "prefix", "desired_state", "variables", "secrets_wo_version",
	"components", "strategy", "restore_data", "keep_snapshots", "restart_trigger",
}

func (m *model) toEngine(ctx context.Context, diags *diag.Diagnostics) engine.Deployment {
	overrides, err := component.OverridesFromMap(ctx, m.Components)
	if err != nil {
		diags.AddError("Unreadable components", err.Error())
	}
	return engine.Deployment{
		ID:                 engine.JoinID(m.EnvironmentID.ValueString(), m.Prefix.ValueString()),
		EnvironmentID:      m.EnvironmentID.ValueString(),
		Prefix:             m.Prefix.ValueString(),
		Version:            m.Version.ValueString(),
		DesiredState:       m.DesiredState.ValueString(),
		Variables:          attrs.ToVariables(m.Variables),
		Components:         overrides,
		Strategy:           strategy(ctx, m.Strategy, diags),
		RestoreData:        m.RestoreData.ValueBool(),
		KeepSnapshots:      int(m.KeepSnapshots.ValueInt64()),
		RestartTrigger:     m.RestartTrigger.ValueString(),
		DeletionProtection: m.DeletionProtection.ValueBool(),
		SecretsVersion:     m.SecretsWOVersion.ValueInt64Pointer(),
		Observed: engine.DeploymentStatus{
			NodeID:          m.NodeID.ValueString(),
			ServingVersion:  m.Version.ValueString(),
			PreviousVersion: m.PreviousVersion.ValueString(),
			Revision:        int(m.Revision.ValueInt64()),
		},
	}
}

// fromEngine takes over everything that the engine keeps. timeouts are
// Terraform's own and stay.
func (m *model) fromEngine(ctx context.Context, d engine.Deployment, diags *diag.Diagnostics) {
	m.ID = types.StringValue(d.ID)
	m.EnvironmentID = types.StringValue(d.EnvironmentID)
	m.Prefix = types.StringValue(d.Prefix)
	m.Version = serving(d, m.Version)
	m.DesiredState = types.StringValue(d.DesiredState)
	m.Variables = attrs.Variables(ctx, d.Variables, m.Variables, diags)
	m.SecretsWO = types.MapNull(types.StringType)
	m.SecretsWOVersion = types.Int64PointerValue(d.SecretsVersion)
	m.Components = component.OverridesToMap(ctx, d.Components, m.Components, diags)
	m.Strategy = sameStrategy(ctx, d.Strategy, m.Strategy, diags)
	m.RestoreData = types.BoolValue(d.RestoreData)
	m.KeepSnapshots = types.Int64Value(int64(d.KeepSnapshots))
	m.RestartTrigger = attrs.OptionalString(d.RestartTrigger)
	m.DeletionProtection = types.BoolValue(d.DeletionProtection)
	if m.Timeouts.IsNull() {
		m.Timeouts = noTimeouts(ctx)
	}
	m.observe(d.Observed)
}

// serving is the version that serves, in the user's own spelling when that
// names it: team/product/name without a digest stays as it was written.
func serving(d engine.Deployment, written types.String) types.String {
	version := d.Observed.ServingVersion
	if version == "" {
		version = d.Version
	}
	if id, _, _ := strings.Cut(version, "@"); written.ValueString() == id {
		return written
	}
	return types.StringValue(version)
}

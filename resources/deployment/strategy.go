package deployment

import (
	"context"
	"reflect"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
)

type strategyModel struct {
	Type             types.String `tfsdk:"type"`
	MaxParallel      types.Int64  `tfsdk:"max_parallel"`
	MinHealthyTime   types.String `tfsdk:"min_healthy_time"`
	ProgressDeadline types.String `tfsdk:"progress_deadline"`
	DrainTimeout     types.String `tfsdk:"drain_timeout"`
	AutoRollback     types.Bool   `tfsdk:"auto_rollback"`
	KeepOldFor       types.String `tfsdk:"keep_old_for"`
	Canary           types.Object `tfsdk:"canary"`
}

var strategyTypes = map[string]attr.Type{
	"type": types.StringType, "max_parallel": types.Int64Type, "min_healthy_time": types.StringType,
	"progress_deadline": types.StringType, "drain_timeout": types.StringType, "auto_rollback": types.BoolType,
	"keep_old_for": types.StringType, "canary": canaryType,
}

func strategyAttribute() schema.Attribute {
	d := engine.DefaultStrategy
	return schema.SingleNestedAttribute{
		Optional:            true,
		Computed:            true,
		Default:             objectdefault.StaticValue(strategyObject(d)),
		MarkdownDescription: "How it moves from one revision to the next.",
		Attributes: map[string]schema.Attribute{
			"type": attrs.Choice("`rolling`: component by component in the order of `depends_on`, new instances beside the old ones where possible. "+
				"`blue_green`: all new instances beside the old ones, then one switch of the routes. "+
				"`canary`: all new instances beside the old ones, then the requests of the routes move step by step, as long as the answers are good. "+
				"`recreate`: the old instances stop before the new ones start, which is a gap.",
				d.Type, engine.StrategyRolling, engine.StrategyBlueGreen, engine.StrategyCanary, engine.StrategyRecreate),
			"max_parallel": schema.Int64Attribute{
				Optional: true, Computed: true, Default: int64default.StaticInt64(int64(d.MaxParallel)),
				MarkdownDescription: "Number of instances of a component that are replaced at once. Default 1.",
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"min_healthy_time":  duration("How long instances must stay healthy before traffic moves; a restart starts it anew.", d.MinHealthyTime),
			"progress_deadline": duration("How long a component may take to become healthy.", d.ProgressDeadline),
			"drain_timeout":     duration("How long old instances may finish requests after traffic has moved.", d.DrainTimeout),
			"auto_rollback": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(d.AutoRollback),
				MarkdownDescription: "Restore the last successful revision when an update fails. Default `true`.",
			},
			"keep_old_for": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "With `type = \"blue_green\"`, how long the old instances run on after the switch, so that going back to them takes no start. A Go duration. Absent: they stop once they are drained.",
				Validators:          []validator.String{attrs.Duration()},
			},
			"canary": canaryAttribute(),
		},
	}
}

func duration(description, fallback string) schema.StringAttribute {
	return schema.StringAttribute{
		Optional:            true,
		Computed:            true,
		Default:             stringdefault.StaticString(fallback),
		MarkdownDescription: description + " A Go duration, default `" + fallback + "`.",
		Validators:          []validator.String{attrs.Duration()},
	}
}

func strategyObject(s engine.Strategy) types.Object {
	return types.ObjectValueMust(strategyTypes, map[string]attr.Value{
		"type":              types.StringValue(s.Type),
		"max_parallel":      types.Int64Value(int64(s.MaxParallel)),
		"min_healthy_time":  types.StringValue(s.MinHealthyTime),
		"progress_deadline": types.StringValue(s.ProgressDeadline),
		"drain_timeout":     types.StringValue(s.DrainTimeout),
		"auto_rollback":     types.BoolValue(s.AutoRollback),
		"keep_old_for":      attrs.OptionalString(s.KeepOldFor),
		"canary":            canaryObject(s.Canary),
	})
}

// strategy reads the attribute; null and unknown mean the default.
func strategy(ctx context.Context, object types.Object, diags *diag.Diagnostics) engine.Strategy {
	if object.IsNull() || object.IsUnknown() {
		return engine.DefaultStrategy
	}
	var m strategyModel
	diags.Append(object.As(ctx, &m, basetypes.ObjectAsOptions{})...)
	return engine.Strategy{
		Type:             m.Type.ValueString(),
		MaxParallel:      int(m.MaxParallel.ValueInt64()),
		MinHealthyTime:   m.MinHealthyTime.ValueString(),
		ProgressDeadline: m.ProgressDeadline.ValueString(),
		DrainTimeout:     m.DrainTimeout.ValueString(),
		AutoRollback:     m.AutoRollback.ValueBool(),
		KeepOldFor:       m.KeepOldFor.ValueString(),
		Canary:           canary(ctx, m.Canary, diags),
	}
}

// sameStrategy keeps what the user wrote when it means the same.
func sameStrategy(ctx context.Context, s engine.Strategy, written types.Object, diags *diag.Diagnostics) types.Object {
	if !written.IsNull() && !written.IsUnknown() && reflect.DeepEqual(strategy(ctx, written, diags), s) {
		return written
	}
	return strategyObject(s)
}

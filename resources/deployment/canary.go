package deployment

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/float64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/float64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
)

type canaryModel struct {
	Steps        []stepModel   `tfsdk:"steps"`
	MaxErrorRate types.Float64 `tfsdk:"max_error_rate"`
	MaxLatency   types.String  `tfsdk:"max_latency"`
	MinRequests  types.Int64   `tfsdk:"min_requests"`
}

type stepModel struct {
	Weight types.Int64  `tfsdk:"weight"`
	Pause  types.String `tfsdk:"pause"`
}

var (
	stepType   = types.ObjectType{AttrTypes: map[string]attr.Type{"weight": types.Int64Type, "pause": types.StringType}}
	canaryType = types.ObjectType{AttrTypes: map[string]attr.Type{
		"steps": types.ListType{ElemType: stepType}, "max_error_rate": types.Float64Type,
		"max_latency": types.StringType, "min_requests": types.Int64Type,
	}}
)

func canaryAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "With `type = \"canary\"`, how the requests move, and what the answers are judged by. What fails is taken back before more requests meet it. " +
			"Absent: every default.",
		Attributes: map[string]schema.Attribute{
			"steps": schema.ListNestedAttribute{
				Optional:            true,
				MarkdownDescription: "The steps before all requests go to the new instances. Absent: 10 percent, then 50, each for 30 seconds.",
				NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
					"weight": schema.Int64Attribute{
						Required:            true,
						MarkdownDescription: "Percent of the requests that go to the new instances, 1 to 99; more with each step.",
						Validators:          []validator.Int64{int64validator.Between(1, 99)},
					},
					"pause": duration("How long the answers are watched before the next step.", engine.DefaultCanaryPause),
				}},
			},
			"max_error_rate": schema.Float64Attribute{
				Optional: true, Computed: true, Default: float64default.StaticFloat64(engine.DefaultCanaryMaxErrorRate),
				MarkdownDescription: "Share of the new instances' answers that may be 5xx, 0 to 1. Default `0.01`.",
				Validators:          []validator.Float64{float64validator.Between(0, 1)},
			},
			"max_latency": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Time within which 95 percent of the new instances' answers must come, a Go duration. Absent: any.",
				Validators:          []validator.String{attrs.Duration()},
			},
			"min_requests": schema.Int64Attribute{
				Optional: true, Computed: true, Default: int64default.StaticInt64(engine.DefaultCanaryMinRequests),
				MarkdownDescription: "Number of answers of the new instances below which a step is not judged by them, but by the health checks alone. Default 10.",
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
		},
	}
}

func canaryObject(c *engine.Canary) types.Object {
	if c == nil {
		return types.ObjectNull(canaryType.AttrTypes)
	}
	filled := c.Whole()
	steps := types.ListNull(stepType)
	if len(c.Steps) > 0 {
		elements := make([]attr.Value, len(filled.Steps))
		for i, s := range filled.Steps {
			elements[i] = types.ObjectValueMust(stepType.AttrTypes, map[string]attr.Value{
				"weight": types.Int64Value(int64(s.Weight)), "pause": types.StringValue(s.Pause),
			})
		}
		steps = types.ListValueMust(stepType, elements)
	}
	return types.ObjectValueMust(canaryType.AttrTypes, map[string]attr.Value{
		"steps":          steps,
		"max_error_rate": types.Float64Value(*filled.MaxErrorRate),
		"max_latency":    attrs.OptionalString(c.MaxLatency),
		"min_requests":   types.Int64Value(int64(filled.MinRequests)),
	})
}

// canary reads the attribute; null is none.
func canary(ctx context.Context, object types.Object, diags *diag.Diagnostics) *engine.Canary {
	if object.IsNull() || object.IsUnknown() {
		return nil
	}
	var m canaryModel
	diags.Append(object.As(ctx, &m, basetypes.ObjectAsOptions{})...)
	c := &engine.Canary{
		MaxErrorRate: m.MaxErrorRate.ValueFloat64Pointer(),
		MaxLatency:   m.MaxLatency.ValueString(),
		MinRequests:  int(m.MinRequests.ValueInt64()),
	}
	for _, s := range m.Steps {
		c.Steps = append(c.Steps, engine.CanaryStep{Weight: int(s.Weight.ValueInt64()), Pause: s.Pause.ValueString()})
	}
	return c
}

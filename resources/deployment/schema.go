package deployment

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/component"
	"github.com/slipwayhq/terraform-provider-slipway/resources/internal/secrets"
)

// Schema implements resource.Resource.
func (r *Resource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	attributes := observedAttributes()
	for name, attribute := range map[string]schema.Attribute{
		"id":             attrs.ID("acme/production/shop"),
		"environment_id": attrs.Parent("Id of the environment it lives in, such as `acme/production`. A change replaces."),
		"version": schema.StringAttribute{
			Required: true,
			MarkdownDescription: "What runs: the `ref` of a slipway_version or of a simple slipway_product, or `team/product/name`. " +
				"After an update that failed, the state has what serves, so that the next plan offers the change again.",
			Validators: []validator.String{attrs.Check("a version's ref, or team/product/name", isRef)},
		},
		"prefix": schema.StringAttribute{
			Optional:            true,
			Computed:            true,
			MarkdownDescription: "Name of the deployment on its node, unique there: lower-case letters, digits and inner hyphens. Default: the product's name. A change replaces.",
			Validators:          []validator.String{attrs.NameSyntax()},
			PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown(), attrs.ReplaceIfKnown()},
		},
		"desired_state": attrs.Choice("`running`, or `stopped`: no instances, everything else stays.",
			engine.StateRunning, engine.StateRunning, engine.StateStopped),
		"variables": schema.MapAttribute{
			Optional:            true,
			ElementType:         types.StringType,
			MarkdownDescription: "Environment variables of every component, a map of strings. They win over the environment's `variables`. `null` takes a variable away, `\"\"` is a value.",
		},
		"secrets_wo":         secrets.Attribute("They win over the environment's of the same name."),
		"secrets_wo_version": secrets.Version(),
		"components":         component.OverridesAttribute(),
		"strategy":           strategyAttribute(),
		"restore_data": schema.BoolAttribute{
			Optional: true, Computed: true, Default: booldefault.StaticBool(false),
			MarkdownDescription: "Going back takes the data along: a rollout of an older version, or the return to what served after a failed upgrade, sets every volume with `snapshot = \"on_upgrade\"` " +
				"to the snapshot that was taken when that version was left. What the volume held is kept as a snapshot. Default `false`: data stays as it is.",
		},
		"keep_snapshots": schema.Int64Attribute{
			Optional: true, Computed: true, Default: int64default.StaticInt64(engine.DefaultKeepSnapshots),
			MarkdownDescription: "How many snapshots of each volume are kept to go back to, and as many of what failed rollouts and ways back left. All are removed with the deployment. Default 3.",
			Validators:          []validator.Int64{int64validator.AtLeast(1)},
		},
		"restart_trigger": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "Any text; another one replaces every instance by the rollout strategy.",
			Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
		},
		"deletion_protection": schema.BoolAttribute{
			Optional:            true,
			Computed:            true,
			MarkdownDescription: "Refuse to destroy it. Default: the environment's `deletion_protection`.",
		},
		"timeouts": timeoutsAttribute(ctx),
	} {
		attributes[name] = attribute
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "One product living in one environment under one prefix. Creating and changing it runs a rollout: images are pulled, " +
			"instances start and must prove healthy before traffic moves to them. When anything fails, the last good revision serves, " +
			"nothing of the failed one stays but its logs, and apply fails with the whole story.",
		Attributes: attributes,
	}
}

func isRef(value string) error {
	_, _, err := engine.SplitRef(value)
	return err
}

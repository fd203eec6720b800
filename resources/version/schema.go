package version

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/component"
)

// Schema implements resource.Resource.
func (r *Resource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	kind := attrs.Choice("`incremental`: one of a numbered chain, sealed by its first successful deployment. `rolling`: always mutable. A change replaces.",
		defaults["type"], engine.VersionIncremental, engine.VersionRolling)
	kind.PlanModifiers = []planmodifier.String{attrs.ReplaceIfKnown()}
	resp.Schema = schema.Schema{
		MarkdownDescription: "What is to run: components, each pinned to an image digest when the version is created. " +
			"A change of the name makes the next version; the old one is retired, and kept by the engine as long as a revision refers to it.",
		Attributes: map[string]schema.Attribute{
			"id":         attrs.ID("acme/shop/1.4.0"),
			"product_id": attrs.Parent("Id of the `complex` product, such as `acme/shop`. A change replaces."),
			"name": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "Name: a semantic version such as `1.4.0` for an incremental version; " +
					"lower-case letters, digits and inner hyphens for a rolling one. A change replaces.",
				PlanModifiers: []planmodifier.String{attrs.ReplaceIfKnown()},
			},
			"type": kind,
			"parent_id": schema.StringAttribute{
				Optional:            true,
				Computed:            true,
				MarkdownDescription: "Id of the version before it in the chain. Default: the newest when it is created; of several that one run creates, the one that comes before it by its name. A version has one child at most. A change replaces.",
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown(), attrs.ReplaceIfKnown()},
			},
			"changelog": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "What is new, for people.",
			},
			"status": attrs.Choice("`active`; `preferred`, one of a product; or `deprecated`, which takes no new deployments.",
				defaults["status"], engine.VersionActive, engine.VersionPreferred, engine.VersionDeprecated),
			"components": component.Attribute(true, "Components by name. Those of a sealed version cannot change."),
			"number": schema.Int64Attribute{
				Computed:            true,
				MarkdownDescription: "Place in the product's chain, from 1. Null for a rolling version.",
			},
			"digest": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "Digest of the components in canonical form, `sha256:…`. Changes if and only if the content does.",
			},
			"ref": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "What a deployment's `version` takes: id and digest, `acme/shop/1.4.0@sha256:…`. Known at plan when the content is.",
			},
			"sealed": schema.BoolAttribute{
				Computed:            true,
				MarkdownDescription: "The first successful deployment has sealed it: its content can never change.",
			},
			"images": schema.MapAttribute{
				Computed:            true,
				ElementType:         types.StringType,
				MarkdownDescription: "What runs, by component: image reference with digest.",
			},
		},
	}
}

package product

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/component"
)

// Schema implements resource.Resource.
func (r *Resource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "An application. A `complex` product has versions; a `simple` one has its components right here and is deployed by its own `ref`.",
		Attributes: map[string]schema.Attribute{
			"id":      attrs.ID("acme/shop"),
			"team_id": attrs.TeamID(),
			"name":    attrs.Name("product"),
			"type": attrs.Choice("`simple` or `complex`. A simple product can become complex, never the other way round.",
				engine.ProductComplex, engine.ProductSimple, engine.ProductComplex),
			"description": attrs.Description(),
			"labels":      attrs.Labels(),
			"components":  component.Attribute(false, "Components by name, of a `simple` product only, which needs them. A change redeploys what uses the `ref`."),
			"ref": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "What a deployment's `version` takes: id of the only version and digest of its content, `acme/shop/rolling@sha256:…`. Null for a complex product.",
			},
			"images": schema.MapAttribute{
				Computed:            true,
				ElementType:         types.StringType,
				MarkdownDescription: "What runs, by component: image reference with digest. Null for a complex product.",
			},
		},
	}
}

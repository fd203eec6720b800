package team

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
)

// Schema implements resource.Resource.
func (r *Resource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A team: people and everything they own. The boundary of access; every other object belongs to one.",
		Attributes: map[string]schema.Attribute{
			"id":          attrs.ID("acme"),
			"name":        attrs.Name("team"),
			"description": attrs.Description(),
		},
	}
}

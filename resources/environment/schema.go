package environment

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/internal/secrets"
)

// Schema implements resource.Resource.
func (r *Resource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A place on a node for deployments, with variables and secrets that all of them get.",
		Attributes: map[string]schema.Attribute{
			"id":      attrs.ID("acme/production"),
			"team_id": attrs.TeamID(),
			"name":    attrs.Name("environment"),
			"node_id": attrs.Parent("Id of the node that its deployments run on, such as `acme/here`. A change replaces."),
			"type": attrs.Choice("What it is for: `development`, `preview`, `staging` or `production`.", engine.EnvironmentDevelopment,
				engine.EnvironmentDevelopment, engine.EnvironmentPreview, engine.EnvironmentStaging, engine.EnvironmentProduction),
			"description": attrs.Description(),
			"variables": schema.MapAttribute{
				Optional:            true,
				ElementType:         types.StringType,
				MarkdownDescription: "Environment variables of every component deployed here, a map of strings. They win over a component's `env`; a deployment's `variables` win over them. `null` takes a variable away, `\"\"` is a value.",
			},
			"secrets_wo":         secrets.Attribute("Components get those that their `secrets` and `secret_files` name."),
			"secrets_wo_version": secrets.Version(),
			"promotes_from_id": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Id of the environment whose versions may enter, such as `acme/staging`: a version must have succeeded there, with the same image digests. " +
					"What ran here before may always come back. Default: every version may enter.",
			},
			"min_soak": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "How long a version must have served in `promotes_from_id`, in sum, a Go duration such as `24h`. Default: no time at all.",
				Validators:          []validator.String{attrs.Duration()},
			},
			"deletion_protection": schema.BoolAttribute{
				Optional:            true,
				Computed:            true,
				MarkdownDescription: "Refuse to destroy it, and the default for its deployments. Default `true` for `production`, else `false`.",
			},
			"secret_names": schema.ListAttribute{
				Computed:            true,
				ElementType:         types.StringType,
				MarkdownDescription: "Sorted names of the secrets that are stored.",
			},
		},
	}
}

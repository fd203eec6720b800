package registry

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
)

// Schema implements resource.Resource.
func (r *Resource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "An OCI registry and its credentials. Images of the team's versions are matched to it by host, the longest prefix first. " +
			"The credentials are tried when they are created or changed; an outage later never breaks a refresh.",
		Attributes: map[string]schema.Attribute{
			"id":      attrs.ID("acme/main"),
			"team_id": attrs.TeamID(),
			"name":    attrs.Name("registry"),
			"url": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "`host[:port][/prefix]`, such as `registry.acme.dev` or `ghcr.io/acme`; `http://` in front for plain HTTP.",
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"username": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "User name. Absent: anonymous.",
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"password_wo": schema.StringAttribute{
				Optional:            true,
				Sensitive:           true,
				WriteOnly:           true,
				MarkdownDescription: "Password or token. Write-only: stored encrypted by the engine, never in state or plan. Sent when created and when `password_wo_version` changes.",
				Validators: []validator.String{
					stringvalidator.AlsoRequires(path.MatchRoot("username"), path.MatchRoot("password_wo_version")),
				},
			},
			"password_wo_version": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "Number to raise when `password_wo` is to be sent again.",
				Validators:          []validator.Int64{int64validator.AtLeast(0)},
			},
			"ca_certificate": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Certificates in PEM that the registry's certificate must lead to. Absent: the system's.",
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
		},
	}
}

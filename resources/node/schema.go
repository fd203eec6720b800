package node

import (
	"context"
	"net/netip"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/resourcevalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
)

const (
	defaultAddress      = "127.0.0.1" // published ports are not open to the network unless asked for
	defaultKeepVersions = 3
)

// kinds are the attributes of which a node has exactly one.
var kinds = []path.Expression{
	path.MatchRoot("local"),
	path.MatchRoot("docker"),
}

// ConfigValidators implements resource.ResourceWithConfigValidators.
func (r *Resource) ConfigValidators(context.Context) []resource.ConfigValidator {
	return []resource.ConfigValidator{resourcevalidator.ExactlyOneOf(kinds...)}
}

// Schema implements resource.Resource.
func (r *Resource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Where instances run. Exactly one kind: `local` (this machine, Linux, without Docker) or `docker` (a Docker Engine, here or elsewhere).",
		Attributes: map[string]schema.Attribute{
			"id":          attrs.ID("acme/here"),
			"team_id":     attrs.TeamID(),
			"name":        attrs.Name("node"),
			"description": attrs.Description(),
			"labels":      attrs.Labels(),
			"allocation": attrs.Choice("Which deployments it takes: `open` all, `closed` no new ones, `drain` neither new ones nor updates.",
				engine.AllocationOpen, engine.AllocationOpen, engine.AllocationClosed, engine.AllocationDrain),
			"local":           local(),
			"docker":          docker(),
			"ingress":         ingress(),
			"image_retention": imageRetention(),
			"status":          observed("State at the last refresh: `ready`, `unreachable`, or `foreign` (another engine uses it)."),
			"platform":        observed("Operating system and architecture, such as `linux/amd64`."),
			"runtime_version": observed("Version of what runs instances there, such as `linux 6.12.0` or `docker 28.5.1`."),
			"address":         observed("Address where published ports are reached."),
			"drift": schema.ListAttribute{
				Computed: true, ElementType: types.StringType,
				MarkdownDescription: "What differs of the ingress from what should be, found at refresh. Apply repairs just that.",
			},
		},
	}
}

func local() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "This machine: instances are supervised processes in namespaces of their own. `local = {}` takes every default.",
		Attributes: map[string]schema.Attribute{
			"root": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Directory of everything that runs. Default: a directory under the provider's `data_dir`.",
			},
			"address": schema.StringAttribute{
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(defaultAddress),
				MarkdownDescription: "IP address that published ports listen on. Default `" + defaultAddress + "`.",
				Validators:          []validator.String{attrs.Check("an IP address", isAddress)},
			},
		},
	}
}

func isAddress(value string) error {
	if _, err := netip.ParseAddr(value); err != nil {
		return engine.Invalid("", "%q is not an IP address, such as 127.0.0.1", value)
	}
	return nil
}

func imageRetention() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "Which images stay on the node.",
		Attributes: map[string]schema.Attribute{
			"keep_versions": schema.Int64Attribute{
				Optional:            true,
				Computed:            true,
				Default:             int64default.StaticInt64(defaultKeepVersions),
				MarkdownDescription: "Number of versions of each deployment, the newest that succeeded, whose images are kept, so that going back to them needs no registry. What serves counts, and is always kept. Default 3.",
				Validators:          []validator.Int64{int64validator.AtLeast(0)},
			},
		},
	}
}

func observed(description string) schema.StringAttribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: description}
}

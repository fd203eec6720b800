package node

import (
	"context"
	"errors"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
	"github.com/slipwayhq/terraform-provider-slipway/resources/fwdiag"
)

var _ resource.ResourceWithValidateConfig = (*Resource)(nil)

// ValidateConfig checks how a Docker Engine is reached and what the ingress
// offers, as far as it is known.
func (r *Resource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	r.validateDocker(ctx, req, resp)
	r.validateIngress(ctx, req, resp)
}

func (r *Resource) validateDocker(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	docker := attrs.Raw(req.Config.Raw, "docker")
	for _, whole := range []bool{docker.IsKnown() && !docker.IsNull(), attrs.Raw(docker, "tls").IsKnown(), attrs.Raw(docker, "ssh").IsKnown()} {
		if !whole {
			return
		}
	}
	var config dockerModel
	if diags := req.Config.GetAttribute(ctx, path.Root("docker"), &config); diags.HasError() {
		return // another part is not known yet
	}
	err := catalog.ValidateDocker(*config.toEngine())
	if config.Host.IsUnknown() || config.Context.IsUnknown() {
		err = without(err, "host", "context", "tls", "ssh")
	}
	if !attrs.Known(docker, "allowed_host_paths") {
		err = without(err, "allowed_host_paths")
	}
	resp.Diagnostics.Append(fwdiag.At(op("Validate", ""), engine.At("docker", err), req.Config.Raw)...)
}

// validateIngress says nothing while anything is unknown: ports are judged together.
func (r *Resource) validateIngress(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	if raw := attrs.Raw(req.Config.Raw, "ingress"); raw.IsNull() || !raw.IsFullyKnown() {
		return
	}
	var config ingressModel
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("ingress"), &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	err := catalog.ValidateIngress(*config.toEngine())
	resp.Diagnostics.Append(fwdiag.At(op("Validate", ""), engine.At("ingress", err), req.Config.Raw)...)
}

// without drops what is said about those fields: it depends on what is not known.
func without(err error, fields ...string) error {
	var kept []error
	for _, one := range engine.All(err) {
		if !slices.Contains(fields, one.Field) {
			kept = append(kept, one)
		}
	}
	return errors.Join(kept...)
}

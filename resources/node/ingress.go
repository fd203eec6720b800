package node

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
)

type ingressModel struct {
	HTTPPort          types.Int64  `tfsdk:"http_port"`
	HTTPSPort         types.Int64  `tfsdk:"https_port"`
	TCPPorts          types.List   `tfsdk:"tcp_ports"`
	Image             types.String `tfsdk:"image"`
	ACMEEmail         types.String `tfsdk:"acme_email"`
	ACMEDirectory     types.String `tfsdk:"acme_directory"`
	ACMECACertificate types.String `tfsdk:"acme_ca_certificate"`
}

func ingress() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "Serve the `routes` of the components that run here, by a proxy (Caddy) that the engine runs on the node and keeps up to date. " +
			"`ingress = {}` takes every default. Absent: no routes.",
		Attributes: map[string]schema.Attribute{
			"http_port":  ingressPort("HTTP", engine.DefaultHTTPPort),
			"https_port": ingressPort("HTTPS, by TCP and, for HTTP/3, by UDP", engine.DefaultHTTPSPort),
			"tcp_ports": schema.ListAttribute{
				Optional:            true,
				ElementType:         types.Int64Type,
				MarkdownDescription: "More ports of the node, for routes with `protocol = \"tcp\"`. They need an image of Caddy with the module layer4.",
				Validators:          []validator.List{listvalidator.UniqueValues(), listvalidator.ValueInt64sAre(int64validator.Between(1, 65535))},
			},
			"image": schema.StringAttribute{
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(engine.DefaultIngressImage),
				MarkdownDescription: "OCI image of the proxy. Default `" + engine.DefaultIngressImage + "`.",
				Validators:          []validator.String{attrs.Check("an image reference", catalog.CheckImage)},
			},
			"acme_email":          optional("Address that the authority writes to about certificates."),
			"acme_directory":      optional("URL of the ACME directory that certificates come from. Absent: Let's Encrypt."),
			"acme_ca_certificate": optional("Certificates in PEM that the directory's own certificate must lead to. Absent: the image's."),
		},
	}
}

func ingressPort(what string, fallback int64) schema.Attribute {
	return schema.Int64Attribute{
		Optional:            true,
		Computed:            true,
		Default:             int64default.StaticInt64(fallback),
		MarkdownDescription: fmt.Sprintf("Port of the node for %s, 1 to 65535, on the node's `address`. Default `%d`.", what, fallback),
		Validators:          []validator.Int64{int64validator.Between(1, 65535)},
	}
}

func (m *ingressModel) toEngine() *engine.NodeIngress {
	n := &engine.NodeIngress{
		HTTPPort:          int(m.HTTPPort.ValueInt64()),
		HTTPSPort:         int(m.HTTPSPort.ValueInt64()),
		Image:             m.Image.ValueString(),
		ACMEEmail:         m.ACMEEmail.ValueString(),
		ACMEDirectory:     m.ACMEDirectory.ValueString(),
		ACMECACertificate: m.ACMECACertificate.ValueString(),
	}
	for _, element := range m.TCPPorts.Elements() {
		if port, ok := element.(types.Int64); ok {
			n.TCPPorts = append(n.TCPPorts, int(port.ValueInt64()))
		}
	}
	return n
}

func ingressFromEngine(ctx context.Context, n engine.NodeIngress, before *ingressModel, diags *diag.Diagnostics) *ingressModel {
	n = n.WithDefaults()
	m := &ingressModel{
		HTTPPort:          types.Int64Value(int64(n.HTTPPort)),
		HTTPSPort:         types.Int64Value(int64(n.HTTPSPort)),
		TCPPorts:          types.ListNull(types.Int64Type),
		Image:             types.StringValue(n.Image),
		ACMEEmail:         attrs.OptionalString(n.ACMEEmail),
		ACMEDirectory:     attrs.OptionalString(n.ACMEDirectory),
		ACMECACertificate: attrs.OptionalString(n.ACMECACertificate),
	}
	if len(n.TCPPorts) > 0 || before != nil && !before.TCPPorts.IsNull() {
		ports, more := types.ListValueFrom(ctx, types.Int64Type, append([]int{}, n.TCPPorts...))
		diags.Append(more...)
		m.TCPPorts = ports
	}
	return m
}

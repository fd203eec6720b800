package datasources

import (
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

type endpointModel struct {
	Address types.String `tfsdk:"address"`
	Port    types.Int64  `tfsdk:"port"`
	URL     types.String `tfsdk:"url"`
}

func endpoints() schema.Attribute {
	return schema.MapNestedAttribute{
		Computed:            true,
		MarkdownDescription: "Where published ports really are, by `component/port`.",
		NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
			"address": text("IP address."),
			"port":    number("Port on the node."),
			"url":     text("`http://address:port` for tcp, `udp://address:port` for udp."),
		}},
	}
}

func endpointModels(all map[string]engine.Endpoint) map[string]endpointModel {
	models := make(map[string]endpointModel, len(all))
	for name, one := range all {
		models[name] = endpointModel{
			Address: types.StringValue(one.Address),
			Port:    types.Int64Value(int64(one.Port)),
			URL:     types.StringValue(one.URL),
		}
	}
	return models
}

// servingVersion is the version that serves, else the one that is wanted.
func servingVersion(d engine.Deployment) string {
	if d.Observed.ServingVersion != "" {
		return d.Observed.ServingVersion
	}
	return d.Version
}

package deployment

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// Deadlines of whole operations. A rollout's own is strategy.progress_deadline,
// for each component; these end what takes longer than anybody would wait.
const (
	defaultCreateTimeout = 20 * time.Minute
	defaultUpdateTimeout = 20 * time.Minute
	defaultDeleteTimeout = 10 * time.Minute
)

var instanceType = types.ObjectType{AttrTypes: map[string]attr.Type{
	"image": types.StringType, "replicas": types.Int64Type, "ready": types.Int64Type, "restarts": types.Int64Type,
}}

var endpointType = types.ObjectType{AttrTypes: map[string]attr.Type{
	"address": types.StringType, "port": types.Int64Type, "url": types.StringType,
}}

// observedAttributes are what the engine answers.
func observedAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"node_id":          computed("Id of the node it runs on."),
		"status":           computed("Status of the newest revision: `preparing`, `in_progress`, `successful`, `failed`, `obsolete` or `downgraded`."),
		"health":           computed("`healthy`, `degraded` (fewer ready instances than wanted), `unhealthy` (a component has none), or `unknown`."),
		"revision":         schema.Int64Attribute{Computed: true, MarkdownDescription: "Number of the newest revision, from 1."},
		"previous_version": computed("Ref of the version that served before. Null at first."),
		"promotion_status": computed("`in_sync` when the environment that this one promotes from serves the same version, else `out_of_sync`; null when it promotes from none. As of the last refresh."),
		"operation_id":     computed("Id of the engine's record of the newest revision."),
		"urls": schema.MapAttribute{
			Computed: true, ElementType: types.StringType,
			MarkdownDescription: "What visitors open to get to the routes, without a final slash, by `component/route`: `http://` or `https://`, or `tcp://address:port` of a tcp route.",
		},
		"drift":   computedList("What differs on the node from what should be, found at refresh; `api: image is …`, `db: container is gone`. Apply repairs just that."),
		"changes": computedList("What the last change did, or the planned one does, a line for each component: `api: replace 2 instances, start-first (image)`, `db: keep`."),
		"instances": schema.MapNestedAttribute{
			Computed:            true,
			MarkdownDescription: "Instances by component.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"image":    computed("Image reference with digest."),
				"replicas": schema.Int64Attribute{Computed: true, MarkdownDescription: "Number wanted."},
				"ready":    schema.Int64Attribute{Computed: true, MarkdownDescription: "Number that run and pass their checks."},
				"restarts": schema.Int64Attribute{Computed: true, MarkdownDescription: "Number of restarts since the instances were made."},
			}},
		},
		"endpoints": schema.MapNestedAttribute{
			Computed:            true,
			MarkdownDescription: "Where published ports really are, by `component/port`.",
			NestedObject: schema.NestedAttributeObject{Attributes: map[string]schema.Attribute{
				"address": computed("IP address."),
				"port":    schema.Int64Attribute{Computed: true, MarkdownDescription: "Port on the node."},
				"url":     computed("`http://address:port` for tcp, `udp://address:port` for udp."),
			}},
		},
	}
}

func computed(description string) schema.StringAttribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: description}
}

func computedList(description string) schema.ListAttribute {
	return schema.ListAttribute{Computed: true, ElementType: types.StringType, MarkdownDescription: description}
}

func timeoutsAttribute(ctx context.Context) schema.Attribute {
	attribute := timeouts.Attributes(ctx, timeouts.Opts{
		Create: true, CreateDescription: "Time that creating may take, a Go duration. Default `20m`.",
		Update: true, UpdateDescription: "Time that an update may take, a Go duration. Default `20m`.",
		Delete: true, DeleteDescription: "Time that destroying may take, a Go duration. Default `10m`.",
	})
	if nested, ok := attribute.(schema.SingleNestedAttribute); ok {
		nested.MarkdownDescription = "How long operations may take. A change does nothing by itself."
		return nested
	}
	return attribute
}

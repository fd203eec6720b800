package deployment

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/attrs"
)

// observe takes over what is. When the node could not be asked, what was seen
// there before stays.
func (m *model) observe(s engine.DeploymentStatus) {
	m.NodeID = types.StringValue(s.NodeID)
	m.Status = types.StringValue(string(s.Status))
	m.Revision = types.Int64Value(int64(s.Revision))
	m.PreviousVersion = attrs.OptionalString(s.PreviousVersion)
	m.OperationID = types.StringValue(s.OperationID)
	m.PromotionStatus = attrs.OptionalString(s.Promotion)
	if m.Changes.IsNull() || m.Changes.IsUnknown() {
		m.Changes = attrs.List(s.Changes) // what was planned stays, word for word
	}
	if s.NodeMessage != "" && !m.Health.IsNull() && !m.Health.IsUnknown() {
		return
	}
	m.Health = types.StringValue(health(s))
	m.Instances = instances(s.Instances)
	m.Endpoints = endpoints(s.Endpoints)
	m.URLs = urls(s.URLs, types.StringNull())
	m.Drift = attrs.List(s.Drift)
}

func health(s engine.DeploymentStatus) string {
	if s.Health == "" {
		return engine.HealthUnknown
	}
	return s.Health
}

func instances(all map[string]engine.InstanceSummary) types.Map {
	elements := make(map[string]attr.Value, len(all))
	for name, one := range all {
		elements[name] = types.ObjectValueMust(instanceType.AttrTypes, map[string]attr.Value{
			"image":    types.StringValue(one.Image),
			"replicas": types.Int64Value(int64(one.Replicas)),
			"ready":    types.Int64Value(int64(one.Ready)),
			"restarts": types.Int64Value(int64(one.Restarts)),
		})
	}
	return types.MapValueMust(instanceType, elements)
}

func endpoints(all map[string]engine.Endpoint) types.Map {
	elements := make(map[string]attr.Value, len(all))
	for name, one := range all {
		elements[name] = types.ObjectValueMust(endpointType.AttrTypes, map[string]attr.Value{
			"address": types.StringValue(one.Address),
			"port":    types.Int64Value(int64(one.Port)),
			"url":     types.StringValue(one.URL),
		})
	}
	return types.MapValueMust(endpointType, elements)
}

// urls takes untold for what only the node can tell and has not told.
func urls(all map[string]string, untold types.String) types.Map {
	elements := make(map[string]attr.Value, len(all))
	for name, url := range all {
		elements[name] = types.StringValue(url)
		if url == "" {
			elements[name] = untold
		}
	}
	return types.MapValueMust(types.StringType, elements)
}

// forget makes unknown what an update finds out anew.
func (m *model) forget() {
	m.Status, m.Health, m.OperationID = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	m.Revision, m.PreviousVersion = types.Int64Unknown(), types.StringUnknown()
	m.PromotionStatus = types.StringUnknown()
	m.Instances, m.Endpoints = types.MapUnknown(instanceType), types.MapUnknown(endpointType)
	m.URLs = types.MapUnknown(types.StringType)
	m.Changes = types.ListUnknown(types.StringType)
	m.Drift = attrs.List(nil) // what drifted is repaired
}

// keep takes over from the state everything that is computed.
func (m *model) keep(state model) {
	m.ID, m.NodeID = state.ID, state.NodeID
	m.Status, m.Health, m.OperationID = state.Status, state.Health, state.OperationID
	m.Revision, m.PreviousVersion = state.Revision, state.PreviousVersion
	m.PromotionStatus = state.PromotionStatus
	m.Instances, m.Endpoints, m.URLs = state.Instances, state.Endpoints, state.URLs
	m.Drift, m.Changes = state.Drift, state.Changes
}

// noTimeouts is the null value of the timeouts attribute.
func noTimeouts(ctx context.Context) timeouts.Value {
	typ, ok := timeoutsAttribute(ctx).GetType().(timeouts.Type)
	if !ok {
		return timeouts.Value{}
	}
	return timeouts.Value{Object: types.ObjectNull(typ.AttributeTypes())}
}

// settle fills a plan that has been carried out. What was planned stays as it
// was promised, word for word.
func (m *model) settle(ctx context.Context, d engine.Deployment, diags *diag.Diagnostics) {
	written := *m
	m.fromEngine(ctx, d, diags)
	m.Version = written.Version
	m.Drift = attrs.List(nil) // the next refresh tells what has drifted since
}

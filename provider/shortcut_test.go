package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipwayhq/terraform-provider-slipway/provider"
)

// TestShortcutAgreesWithTheFramework plans the same with and without it.
func TestShortcutAgreesWithTheFramework(t *testing.T) {
	quick, slow := provider.Server("test", nil)(), server(t)
	schemas, err := slow.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	mustDo(t, err)
	typ := schemas.ResourceSchemas["slipway_version"].ValueType().(tftypes.Object)
	for name, test := range map[string]struct {
		config, prior, proposed map[string]string
		unchanged               bool
	}{
		"nothing changes":           {map[string]string{"name": "a"}, stored("active"), stored("active"), true},
		"what is written stays":     {map[string]string{"name": "a", "status": "preferred"}, stored("preferred"), stored("preferred"), true},
		"a default comes back":      {map[string]string{"name": "a"}, stored("preferred"), stored("preferred"), false},
		"something else is written": {map[string]string{"name": "a", "status": "deprecated"}, stored("active"), stored("deprecated"), false},
	} {
		t.Run(name, func(t *testing.T) {
			req := func() *tfprotov6.PlanResourceChangeRequest {
				return &tfprotov6.PlanResourceChangeRequest{
					TypeName: "slipway_version", Config: value(t, typ, test.config),
					PriorState: value(t, typ, test.prior), ProposedNewState: value(t, typ, test.proposed),
				}
			}
			got, want := plan(t, quick, req(), typ), plan(t, slow, req(), typ)
			if !got.Equal(want) {
				t.Errorf("with the shortcut %s, without %s", got, want)
			}
			if prior, err := value(t, typ, test.prior).Unmarshal(typ); err != nil || got.Equal(prior) != test.unchanged {
				t.Errorf("the plan is %s, want unchanged %v (%v)", got, test.unchanged, err)
			}
		})
	}
}

// TestShortcutReadsStatesAsTheFrameworkDoes, also those with attributes that are
// no more or not yet there, and those that nobody can read.
func TestShortcutReadsStatesAsTheFrameworkDoes(t *testing.T) {
	quick, slow := provider.Server("test", nil)(), server(t)
	schemas, err := slow.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{})
	mustDo(t, err)
	typ := schemas.ResourceSchemas["slipway_version"].ValueType()
	for name, raw := range map[string]string{
		"whole":             `{"id":"acme/shop/a","name":"a","components":{"web":{"image":"app:1","env":{"A":"1"}}},"images":{"web":"app@sha256:1"}}`,
		"has one too many":  `{"id":"acme/shop/a","name":"a","gone":{"x":1}}`,
		"has none":          `{}`,
		"is of other types": `{"id":["acme/shop/a"]}`,
		"is no JSON":        `{`,
	} {
		t.Run(name, func(t *testing.T) {
			read := func(on tfprotov6.ProviderServer) (tftypes.Value, bool) {
				resp, err := on.UpgradeResourceState(t.Context(), &tfprotov6.UpgradeResourceStateRequest{
					TypeName: "slipway_version", RawState: &tfprotov6.RawState{JSON: []byte(raw)},
				})
				mustDo(t, err)
				if len(resp.Diagnostics) > 0 || resp.UpgradedState == nil {
					return tftypes.Value{}, false
				}
				state, err := resp.UpgradedState.Unmarshal(typ)
				mustDo(t, err)
				return state, true
			}
			got, could := read(quick)
			want, can := read(slow)
			if could != can || can && !got.Equal(want) {
				t.Errorf("with the shortcut %v %s, without %v %s", could, got, can, want)
			}
		})
	}
}

func stored(status string) map[string]string {
	return map[string]string{
		"id": "acme/shop/a", "product_id": "acme/shop", "name": "a", "type": "incremental", "status": status,
		"digest": "sha256:1", "ref": "acme/shop/a@sha256:1",
	}
}

func value(t *testing.T, typ tftypes.Object, set map[string]string) *tfprotov6.DynamicValue {
	t.Helper()
	attributes := map[string]tftypes.Value{}
	for name, attribute := range typ.AttributeTypes {
		attributes[name] = tftypes.NewValue(attribute, nil)
	}
	for name, s := range set {
		attributes[name] = tftypes.NewValue(tftypes.String, s)
	}
	packed, err := tfprotov6.NewDynamicValue(typ, tftypes.NewValue(typ, attributes))
	mustDo(t, err)
	return &packed
}

func plan(t *testing.T, on tfprotov6.ProviderServer, req *tfprotov6.PlanResourceChangeRequest, typ tftypes.Type) tftypes.Value {
	t.Helper()
	resp, err := on.PlanResourceChange(t.Context(), req)
	mustDo(t, err)
	if resp.PlannedState == nil {
		t.Fatalf("no plan: %v", resp.Diagnostics)
	}
	planned, err := resp.PlannedState.Unmarshal(typ)
	mustDo(t, err)
	return planned
}

package component_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/resources/component"
)

func TestSchemaHasEveryFieldOfTheEngine(t *testing.T) {
	element := component.Type().TerraformType(t.Context()).(tftypes.Map).ElementType.(tftypes.Object)
	same(t, "", reflect.TypeFor[engine.Component](), element)
}

// same demands that an object has exactly the fields of a struct, by JSON name.
func same(t *testing.T, at string, of reflect.Type, object tftypes.Object) {
	t.Helper()
	known := map[string]bool{}
	for i := range of.NumField() {
		field := of.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		known[name] = true
		where := strings.TrimPrefix(at+"."+name, ".")
		typ, ok := object.AttributeTypes[name]
		if !ok {
			t.Errorf("the schema lacks %s", where)
			continue
		}
		inner := field.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Map {
			inner = inner.Elem()
			if m, ok := typ.(tftypes.Map); ok {
				typ = m.ElementType
			}
		}
		if nested, ok := typ.(tftypes.Object); ok && inner.Kind() == reflect.Struct {
			same(t, where, inner, nested)
		}
	}
	for name := range object.AttributeTypes {
		if !known[name] {
			t.Errorf("the engine lacks %s.%s", at, name)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	ctx := context.Background()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.MapOfN(rapid.StringMatching(`[a-z]{1,8}`), anyComponent, 1, 3).Draw(t, "components")
		var diags diag.Diagnostics
		value := component.ToMap(ctx, want, types.MapNull(component.Type().ElemType), &diags)
		if diags.HasError() {
			t.Fatal(diags)
		}
		got, err := component.FromMap(ctx, value)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		if again := component.ToMap(ctx, got, value, &diags); !again.Equal(value) {
			t.Fatalf("what is unchanged was written anew: %s, was %s", again, value)
		}
	})
}

// anyComponent fills every field of the struct.
var anyComponent = rapid.Make[engine.Component]()

func TestWhatTheUserWroteStays(t *testing.T) {
	ctx := t.Context()
	var diags diag.Diagnostics
	stored := map[string]engine.Component{"api": {Image: "localhost/x:1", StopGracePeriod: "1m", DependsOn: nil}}
	written := component.ToMap(ctx, map[string]engine.Component{"api": {Image: "localhost/x:1", StopGracePeriod: "60s", Init: false}}, types.MapNull(component.Type().ElemType), &diags)
	if got := component.ToMap(ctx, stored, written, &diags); !got.Equal(written) {
		t.Errorf("60s was overwritten: %s", got)
	}
	stored["api"] = engine.Component{Image: "localhost/x:2"}
	if got := component.ToMap(ctx, stored, written, &diags); got.Equal(written) {
		t.Error("another image was not noticed")
	}
}

func TestUnknownComponentsAreNotJudged(t *testing.T) {
	ctx := t.Context()
	var diags diag.Diagnostics
	value := component.ToMap(ctx, map[string]engine.Component{
		"late": {Image: "bad image"},
		"bad":  {Image: "localhost/x", DependsOn: []string{"late"}, StopGracePeriod: "soon"},
	}, types.MapNull(component.Type().ElemType), &diags)
	raw, err := value.ToTerraformValue(ctx)
	if err != nil {
		t.Fatal(err)
	}
	raw, err = tftypes.Transform(raw, func(at *tftypes.AttributePath, v tftypes.Value) (tftypes.Value, error) {
		if at.String() == `ElementKeyString("late").AttributeName("image")` {
			return tftypes.NewValue(tftypes.String, tftypes.UnknownValue), nil
		}
		return v, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	known, unknown, whole, err := component.Decode(raw)
	if err != nil || whole || len(known) != 1 || !slices.Equal(unknown, []string{"late"}) {
		t.Errorf("got %v, %v, %v, %v", known, unknown, whole, err)
	}
	problems := engine.All(component.Validate(raw))
	if len(problems) != 1 || problems[0].Field != "components.bad.stop_grace_period" {
		t.Errorf("got %v, want what is wrong with bad alone", problems)
	}
}

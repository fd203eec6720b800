package attrs

import (
	"math/big"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func TestChanged(t *testing.T) {
	parsed, _, err := big.ParseFloat("0.01", 10, 512, big.ToNearestEven)
	if err != nil {
		t.Fatal(err)
	}
	rateType := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"rate": tftypes.Number, "name": tftypes.String}}
	steps := tftypes.List{ElementType: rateType}
	whole := tftypes.Object{AttributeTypes: map[string]tftypes.Type{"steps": steps}}
	with := func(rate, name any, more ...tftypes.Value) tftypes.Value {
		one := tftypes.NewValue(rateType, map[string]tftypes.Value{"rate": tftypes.NewValue(tftypes.Number, rate), "name": tftypes.NewValue(tftypes.String, name)})
		return tftypes.NewValue(whole, map[string]tftypes.Value{"steps": tftypes.NewValue(steps, append(more, one))})
	}
	one := tftypes.NewValue(rateType, nil)
	for name, test := range map[string]struct {
		a, b    tftypes.Value
		changed bool
	}{
		"the same":        {with(0.01, "a"), with(0.01, "a"), false},
		"read and given":  {with(parsed, "a"), with(0.01, "a"), false},
		"another number":  {with(parsed, "a"), with(0.02, "a"), true},
		"another text":    {with(parsed, "a"), with(0.01, "b"), true},
		"no number":       {with(parsed, "a"), with(nil, "a"), true},
		"not known":       {with(parsed, "a"), with(tftypes.UnknownValue, "a"), true},
		"one more":        {with(0.01, "a"), with(0.01, "a", one), true},
		"nothing at all":  {with(0.01, "a"), tftypes.NewValue(whole, map[string]tftypes.Value{"steps": tftypes.NewValue(steps, nil)}), true},
		"nothing to tell": {tftypes.NewValue(whole, nil), with(0.01, "a"), true},
	} {
		if got := Changed(test.a, test.b, "steps"); got != test.changed {
			t.Errorf("%s: %v, want %v", name, got, test.changed)
		}
	}
}

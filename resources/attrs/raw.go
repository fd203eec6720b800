package attrs

import (
	"math/big"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Raw is one top-level attribute of a plan, state or configuration, as it came
// over the wire.
func Raw(object tftypes.Value, name string) tftypes.Value {
	var attributes map[string]tftypes.Value
	if object.IsNull() || !object.IsKnown() || object.As(&attributes) != nil {
		return tftypes.Value{}
	}
	return attributes[name]
}

// Known reports whether nothing in those top-level attributes is unknown.
func Known(object tftypes.Value, names ...string) bool {
	var attributes map[string]tftypes.Value
	if object.IsNull() || !object.IsKnown() || object.As(&attributes) != nil {
		return false
	}
	for _, name := range names {
		if !attributes[name].IsFullyKnown() {
			return false
		}
	}
	return true
}

// Changed reports whether any of those top-level attributes differs.
func Changed(before, after tftypes.Value, names ...string) bool {
	var was, is map[string]tftypes.Value
	if before.IsNull() || after.IsNull() || before.As(&was) != nil || after.As(&is) != nil {
		return true
	}
	for _, name := range names {
		if !same(was[name], is[name]) {
			return true
		}
	}
	return false
}

// same tells numbers apart as far as 64 bits do: a state's 0.01 was read from text
// and has more of them than the same number as an attribute's default.
func same(a, b tftypes.Value) bool {
	if a.Equal(b) {
		return true
	}
	diffs, err := a.Diff(b)
	return err == nil && !slices.ContainsFunc(diffs, func(d tftypes.ValueDiff) bool { return !sameNumber(d.Value1, d.Value2) })
}

func sameNumber(a, b *tftypes.Value) bool {
	var x, y big.Float
	if a == nil || b == nil || !a.Type().Is(tftypes.Number) || a.IsNull() || b.IsNull() || a.As(&x) != nil || b.As(&y) != nil {
		return false
	}
	one, _ := x.Float64()
	other, _ := y.Float64()
	return one == other
}

// Replaces reports whether any of the attributes that make an object what it is
// has a known planned value that differs from the state's. Terraform then plans
// once more, as for a new object.
func Replaces(req resource.ModifyPlanRequest, names ...string) bool {
	if req.Plan.Raw.IsNull() || req.State.Raw.IsNull() {
		return false
	}
	for _, name := range names {
		if Known(req.Plan.Raw, name) && Changed(req.State.Raw, req.Plan.Raw, name) {
			return true
		}
	}
	return false
}

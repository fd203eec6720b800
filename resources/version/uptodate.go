package version

import (
	"context"
	"maps"
	"math/big"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// UpToDate asks the engine for the version of that state, and reports whether
// both say the same. An error is a no: reading it again tells.
func UpToDate(ctx context.Context, service engine.Versions, state tftypes.Value) bool {
	var is map[string]tftypes.Value
	if state.IsNull() || state.As(&is) != nil {
		return false
	}
	found, err := service.Version(ctx, text(is["id"]))
	return err == nil && upToDate(state, found)
}

// upToDate reports whether the state says what the engine says. It looks at the
// digest instead of the components: decoding those of a thousand unchanged
// versions would take most of the time of a plan.
func upToDate(state tftypes.Value, v engine.Version) bool {
	var is map[string]tftypes.Value
	if state.As(&is) != nil {
		return false
	}
	return text(is["id"]) == v.ID &&
		text(is["type"]) == v.Type &&
		text(is["parent_id"]) == v.ParentID &&
		text(is["changelog"]) == v.Changelog &&
		text(is["status"]) == v.Status &&
		text(is["digest"]) == v.Digest &&
		text(is["ref"]) == v.Ref &&
		number(is["number"]) == v.Number &&
		truth(is["sealed"]) == v.Sealed &&
		maps.Equal(texts(is["images"]), v.Images)
}

func text(value tftypes.Value) (s string) {
	if value.IsNull() || value.As(&s) != nil {
		return ""
	}
	return s
}

func truth(value tftypes.Value) (b bool) {
	if value.IsNull() || value.As(&b) != nil {
		return false
	}
	return b
}

func number(value tftypes.Value) int {
	n := new(big.Float)
	if value.IsNull() || value.As(&n) != nil {
		return 0
	}
	i, _ := n.Int64()
	return int(i)
}

func texts(value tftypes.Value) map[string]string {
	var elements map[string]tftypes.Value
	if value.IsNull() || value.As(&elements) != nil {
		return nil
	}
	all := make(map[string]string, len(elements))
	for name, element := range elements {
		all[name] = text(element)
	}
	return all
}

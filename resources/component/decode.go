package component

import (
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Decode reads the components of a configuration, plan or state. Those that
// hold any unknown value are left out and named in unknown; whole reports
// whether every value is known, the map itself too.
func Decode(value tftypes.Value) (known map[string]engine.Component, unknown []string, whole bool, err error) {
	return decodeMap[engine.Component](value, reader{})
}

// Overrides reads a deployment's overrides, as Decode does; a variable that is null
// takes away the version's.
func Overrides(value tftypes.Value) (known map[string]engine.ComponentOverride, whole bool, err error) {
	known, _, whole, err = decodeMap[engine.ComponentOverride](value, reader{nulls: true})
	return known, whole, err
}

func decodeMap[T any](value tftypes.Value, r reader) (known map[string]T, unknown []string, whole bool, err error) {
	if !value.IsKnown() {
		return nil, nil, false, nil
	}
	if value.IsNull() {
		return nil, nil, true, nil
	}
	var elements map[string]tftypes.Value
	if err := value.As(&elements); err != nil {
		return nil, nil, false, err
	}
	known = make(map[string]T, len(elements))
	for name, element := range elements {
		if !element.IsFullyKnown() {
			unknown = append(unknown, name)
			continue
		}
		var one T
		if err := r.decode(element, &one); err != nil {
			return nil, nil, false, fmt.Errorf("component %s: %w", name, err)
		}
		known[name] = one
	}
	return known, unknown, len(unknown) == 0, nil
}

// reader turns values into Go's own types.
type reader struct {
	nulls bool // elements of maps that are null mean something
}

// decode goes through JSON: the attributes are named as the engine's fields are.
func (r reader) decode(value tftypes.Value, into any) error {
	plain, err := r.plain(value)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(plain)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// plain is the value in Go's own types, without the attributes that are null.
func (r reader) plain(value tftypes.Value) (any, error) {
	if value.IsNull() {
		return nil, nil
	}
	switch typ := value.Type(); {
	case typ.Is(tftypes.String):
		return as[string](value)
	case typ.Is(tftypes.Bool):
		return as[bool](value)
	case typ.Is(tftypes.Number):
		return number(value)
	case typ.Is(tftypes.List{}):
		return r.plainList(value)
	default:
		return r.plainMap(value)
	}
}

func (r reader) plainList(value tftypes.Value) (any, error) {
	elements, err := as[[]tftypes.Value](value)
	if err != nil {
		return nil, err
	}
	all := make([]any, 0, len(elements))
	for _, element := range elements {
		one, err := r.plain(element)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (r reader) plainMap(value tftypes.Value) (any, error) {
	elements, err := as[map[string]tftypes.Value](value)
	if err != nil {
		return nil, err
	}
	all := make(map[string]any, len(elements))
	for name, element := range elements {
		if element.IsNull() && !(r.nulls && value.Type().Is(tftypes.Map{})) {
			continue
		}
		if all[name], err = r.plain(element); err != nil {
			return nil, err
		}
	}
	return all, nil
}

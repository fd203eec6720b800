package component

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// encodeMap gives components, or overrides, as a value of their attribute's type;
// fields that are not set become null.
func encodeMap[T any](values map[string]T, typ tftypes.Type) (tftypes.Value, error) {
	if len(values) == 0 {
		return tftypes.NewValue(typ, nil), nil
	}
	raw, err := json.Marshal(values)
	if err != nil {
		return tftypes.Value{}, err
	}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	var plain any
	if err := decoder.Decode(&plain); err != nil {
		return tftypes.Value{}, err
	}
	return build(plain, typ)
}

// build makes a value of that type; what the type does not know is an error,
// so that a new field of the engine cannot be lost unseen.
func build(plain any, typ tftypes.Type) (tftypes.Value, error) {
	switch v := plain.(type) {
	case nil:
		return tftypes.NewValue(typ, nil), nil
	case json.Number:
		n, _, err := big.ParseFloat(v.String(), 10, 512, big.ToNearestEven)
		return tftypes.NewValue(typ, n), err
	case map[string]any:
		return buildMap(v, typ)
	case []any:
		return buildList(v, typ)
	default:
		return tftypes.NewValue(typ, v), nil
	}
}

func buildMap(plain map[string]any, typ tftypes.Type) (tftypes.Value, error) {
	elements := make(map[string]tftypes.Value, len(plain))
	elementType := func(string) tftypes.Type { return nil }
	switch t := typ.(type) {
	case tftypes.Map:
		elementType = func(string) tftypes.Type { return t.ElementType }
	case tftypes.Object:
		elementType = func(name string) tftypes.Type { return t.AttributeTypes[name] }
		for name, attribute := range t.AttributeTypes {
			elements[name] = tftypes.NewValue(attribute, nil)
		}
	}
	for name, value := range plain {
		typ := elementType(name)
		if typ == nil {
			return tftypes.Value{}, fmt.Errorf("the schema has no attribute %q", name)
		}
		one, err := build(value, typ)
		if err != nil {
			return tftypes.Value{}, err
		}
		elements[name] = one
	}
	return tftypes.NewValue(typ, elements), nil
}

func buildList(plain []any, typ tftypes.Type) (tftypes.Value, error) {
	list, ok := typ.(tftypes.List)
	if !ok {
		return tftypes.Value{}, fmt.Errorf("%s is not a list", typ)
	}
	elements := make([]tftypes.Value, 0, len(plain))
	for _, value := range plain {
		one, err := build(value, list.ElementType)
		if err != nil {
			return tftypes.Value{}, err
		}
		elements = append(elements, one)
	}
	return tftypes.NewValue(typ, elements), nil
}

// as reads a known value into T.
func as[T any](value tftypes.Value) (T, error) {
	var into T
	err := value.As(&into)
	return into, err
}

// number is a json.Number with every digit of the value.
func number(value tftypes.Value) (any, error) {
	n, err := as[*big.Float](value)
	if err != nil {
		return nil, err
	}
	if n.IsInt() { // JSON integers take no exponent
		return json.Number(n.Text('f', 0)), nil
	}
	return json.Number(n.Text('g', -1)), nil
}

package nodetest

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Honours proves that a driver refuses what catalog.Runtimes says that nodes of
// its kind refuse, and nothing that they honour, whatever the node can do.
func Honours(t *testing.T, kind engine.NodeKind, d node.Driver) {
	for _, info := range []node.Info{
		{},
		{LimitCPU: true, LimitMemory: true, LimitPids: true, Snapshots: true, Users: true, MinPort: 1, StartFirstPorts: true},
	} {
		for _, row := range catalog.Runtimes {
			var refused bool
			for _, e := range engine.All(d.Check(only(row.Path), info)) {
				by, told := rowOf(e.Field)
				if !told || by.On(kind).Honour == catalog.Yes {
					t.Errorf("with %s set %s is refused, which the table does not say: %v", row.Path, e.Field, e)
				}
				refused = refused || by.Path == row.Path
			}
			if never := row.On(kind).Honour == catalog.No; never && !refused {
				t.Errorf("%s is taken, and the table says that it is never", row.Path)
			}
		}
	}
}

// rowOf is the nearest row of the table to a component's field.
func rowOf(field string) (nearest catalog.Attribute, found bool) {
	names := strings.Split(field, ".")
	for _, row := range catalog.Runtimes {
		path := strings.Split(row.Path, ".")
		covers := len(path) <= len(names) && slices.EqualFunc(path, names[:min(len(path), len(names))],
			func(pattern, name string) bool { return pattern == "*" || pattern == name })
		if covers && len(row.Path) >= len(nearest.Path) {
			nearest, found = row, true
		}
	}
	return nearest, found
}

// only is a component that says nothing but what is at the path.
func only(path string) engine.Component {
	var c engine.Component
	fill(reflect.ValueOf(&c).Elem(), strings.Split(path, "."))
	return c
}

func fill(v reflect.Value, path []string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), path)
	case reflect.Map:
		inner := reflect.New(v.Type().Elem()).Elem()
		fill(inner, path[min(1, len(path)):])
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("it"), inner)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), nil)
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if len(path) == 0 || path[0] == name {
				fill(v.Field(i), path[min(1, len(path)):])
			}
		}
	case reflect.String:
		v.SetString("1")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(1)
	default:
		v.SetInt(1)
	}
}

package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Honour says how far a runtime does what an attribute asks.
type Honour int

// From always to never.
const (
	Yes    Honour = iota
	Partly        // not on every node, nor for every value: the driver's Check judges it
	No            // never: set at all, it is refused
)

// Support is how one runtime takes an attribute.
type Support struct {
	Honour Honour
	Reason string // why not always
	Hint   string // what to do instead
}

// Attribute is a row of Runtimes.
type Attribute struct {
	Path          string // as in ports.*.host_port; what is below it and has no row of its own is taken alike
	Local, Docker Support
}

// On is how nodes of that kind take the attribute.
func (a Attribute) On(kind engine.NodeKind) Support {
	if kind == engine.NodeDocker {
		return a.Docker
	}
	return a.Local
}

// CheckRuntime refuses what no node of that kind can honour, as joined
// engine.ErrUnsupported with fields relative to the component.
func CheckRuntime(kind engine.NodeKind, c engine.Component) error {
	var set any
	if err := json.Unmarshal(mustJSON(Normalize(c)), &set); err != nil {
		panic(fmt.Sprintf("catalog: a component is no JSON: %v", err))
	}
	var errs []error
	for _, a := range Runtimes {
		s := a.On(kind)
		if s.Honour != No {
			continue
		}
		for _, field := range places("", set, strings.Split(a.Path, ".")) {
			errs = append(errs, engine.Unsupported(field, s.Reason, s.Hint))
		}
	}
	return errors.Join(errs...)
}

// places are where a value has what the path leads to, in the order of the names.
func places(at string, value any, path []string) []string {
	if len(path) == 0 {
		return []string{at}
	}
	object, _ := value.(map[string]any)
	var all []string
	for name, inner := range sorted(object) {
		if path[0] == "*" || path[0] == name {
			all = append(all, places(strings.TrimPrefix(at+"."+name, "."), inner, path[1:])...)
		}
	}
	return all
}

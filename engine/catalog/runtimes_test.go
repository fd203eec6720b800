package catalog

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// attributePaths are those of everything that a component can say, with * for
// names: the schema's, see the tests of resources/component.
func attributePaths(at string, t reflect.Type) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Struct:
		return attributePaths(at+".*", t.Elem())
	case t.Kind() != reflect.Struct:
		return []string{at}
	}
	var all []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		all = append(all, attributePaths(strings.TrimPrefix(at+"."+name, "."), t.Field(i).Type)...)
	}
	return all
}

func TestRuntimesSpeakOfEveryAttribute(t *testing.T) {
	all := attributePaths("", reflect.TypeFor[engine.Component]())
	below := func(path, row string) bool { return path == row || strings.HasPrefix(path, row+".") }
	for _, path := range all {
		if !slices.ContainsFunc(Runtimes, func(a Attribute) bool { return below(path, a.Path) }) {
			t.Errorf("the table lacks %s", path)
		}
	}
	seen := map[string]bool{}
	for _, a := range Runtimes {
		if seen[a.Path] || !slices.ContainsFunc(all, func(path string) bool { return below(path, a.Path) }) {
			t.Errorf("%s is no attribute, or told twice", a.Path)
		}
		seen[a.Path] = true
		for _, s := range []Support{a.Local, a.Docker} {
			if (s.Honour == Yes) != (s.Reason == "") || (s.Honour == No) != (s.Hint != "") {
				t.Errorf("%s: what is not always honoured has a reason, what never is a hint as well: %+v", a.Path, s)
			}
		}
	}
	if len(all) < 70 {
		t.Errorf("only %d attributes were looked at", len(all))
	}
}

func TestCheckRuntime(t *testing.T) {
	fields := func(kind engine.NodeKind, c engine.Component) []string {
		var all []string
		for _, e := range engine.All(CheckRuntime(kind, c)) {
			if !errors.Is(e, engine.ErrUnsupported) {
				t.Errorf("%v is not unsupported", e)
			}
			all = append(all, e.Field)
		}
		return all
	}
	want := []string{
		"volumes.data.size", "volumes.data.driver", "volumes.data.driver_options", "security.privileged",
		"logging.driver", "logging.driver_options", "init", "dns", "networks", "sysctls", "devices", "gpus",
	}
	if got := fields(engine.NodeLocal, full()); !slices.Equal(got, want) {
		t.Errorf("local nodes refuse %q, want %q", got, want)
	}
	want = []string{"ports.http.proxy_protocol", "volumes.data.size"}
	if got := fields(engine.NodeDocker, full()); !slices.Equal(got, want) {
		t.Errorf("docker nodes refuse %q, want %q", got, want)
	}
	named := engine.Component{
		Image: "x", Logging: &engine.Logging{Driver: engine.DefaultLogDriver}, DNS: &engine.DNS{},
		Volumes: map[string]engine.Volume{"data": {Path: "/data", Driver: engine.DefaultVolumeDriver}},
	}
	if got := fields(engine.NodeLocal, named); len(got) > 0 {
		t.Errorf("what is written but the default is refused: %q", got)
	}
}

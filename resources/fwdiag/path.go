package fwdiag

import (
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// Path turns an engine's dotted field (components.api.ports.http.host_port)
// into the path of that attribute, as far as the configuration has it. Map keys
// may hold dots themselves (files."/etc/app.conf"), so the configuration's own
// keys decide, the longest first. It reports false when not even the first
// part is an attribute.
func Path(config tftypes.Value, field string) (path.Path, bool) {
	if field == "" || config.Type() == nil {
		return path.Empty(), false
	}
	found := walk(path.Empty(), config, strings.Split(field, "."))
	return found, len(found.Steps()) > 0
}

func walk(at path.Path, value tftypes.Value, rest []string) path.Path {
	if len(rest) == 0 || value.IsNull() || !value.IsKnown() {
		return at
	}
	switch value.Type().(type) {
	case tftypes.Object:
		return walkObject(at, value, rest)
	case tftypes.Map:
		return walkMap(at, value, rest)
	case tftypes.List:
		return walkList(at, value, rest)
	}
	return at
}

func walkObject(at path.Path, value tftypes.Value, rest []string) path.Path {
	var attributes map[string]tftypes.Value
	if value.As(&attributes) != nil {
		return at
	}
	next, ok := attributes[rest[0]]
	if !ok {
		return at
	}
	return walk(at.AtName(rest[0]), next, rest[1:])
}

func walkMap(at path.Path, value tftypes.Value, rest []string) path.Path {
	var elements map[string]tftypes.Value
	if value.As(&elements) != nil {
		return at
	}
	for n := len(rest); n > 0; n-- {
		key := strings.Join(rest[:n], ".")
		if next, ok := elements[key]; ok {
			return walk(at.AtMapKey(key), next, rest[n:])
		}
	}
	return at
}

func walkList(at path.Path, value tftypes.Value, rest []string) path.Path {
	var elements []tftypes.Value
	i, err := strconv.Atoi(rest[0])
	if err != nil || value.As(&elements) != nil || i < 0 || i >= len(elements) {
		return at
	}
	return walk(at.AtListIndex(i), elements[i], rest[1:])
}

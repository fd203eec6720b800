package catalog

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Differences tells what changes from one version to another, in the order of
// components and attributes: defaults count, spellings do not, and of images the
// pinned digests do. A component that only one of them has is one difference
// with an empty attribute.
func Differences(from, to engine.Version) []engine.Difference {
	before, after := attributesOf(from), attributesOf(to)
	var all []engine.Difference
	for _, component := range slices.Sorted(maps.Keys(joined(before, after))) {
		old, was := before[component]
		now, is := after[component]
		if !was || !is {
			all = append(all, engine.Difference{Component: component, From: valueOf(old, imageAttribute), To: valueOf(now, imageAttribute)})
			continue
		}
		for _, attribute := range slices.Sorted(maps.Keys(joined(old, now))) {
			a, b := valueOf(old, attribute), valueOf(now, attribute)
			if a == nil || b == nil || *a != *b {
				all = append(all, engine.Difference{Component: component, Attribute: attribute, From: a, To: b})
			}
		}
	}
	return all
}

const imageAttribute = "image"

// attributesOf flattens the canonical components: by component, then by the path
// of the attribute, its value as JSON, text as it is.
func attributesOf(v engine.Version) map[string]map[string]string {
	flat := make(map[string]map[string]string, len(v.Components))
	for name, c := range v.Components {
		c = Normalize(c)
		if pinned := v.Images[name]; pinned != "" {
			c.Image = pinned
		}
		var tree any
		d := json.NewDecoder(bytes.NewReader(mustJSON(c)))
		d.UseNumber()
		if err := d.Decode(&tree); err != nil {
			panic("catalog: a component's own JSON: " + err.Error())
		}
		flat[name] = map[string]string{}
		flatten("", tree, flat[name])
	}
	return flat
}

// flatten walks maps only: a list is one value, as it is when layers are merged.
func flatten(path string, value any, into map[string]string) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			at := name
			if path != "" {
				at = path + "." + name
			}
			flatten(at, inner, into)
		}
	case string:
		into[path] = v
	default:
		into[path] = string(mustJSON(v))
	}
}

func valueOf(attributes map[string]string, name string) *string {
	value, ok := attributes[name]
	if !ok {
		return nil
	}
	return &value
}

func joined[V any](a, b map[string]V) map[string]V {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

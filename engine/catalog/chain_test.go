package catalog

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

func incremental(name, parent string, number int) engine.Version {
	v := engine.Version{ID: "acme/shop/" + name, ProductID: "acme/shop", Name: name, Type: "incremental", Number: number}
	if parent != "" {
		v.ParentID = "acme/shop/" + parent
	}
	return v
}

func TestPlace(t *testing.T) {
	rolling := engine.Version{ID: "acme/shop/main", ProductID: "acme/shop", Name: "main", Type: "rolling"}
	chain := []engine.Version{incremental("1.1.0", "1.0.0", 2), rolling, incremental("1.0.0", "", 1)}
	for name, test := range map[string]struct {
		all           []engine.Version
		version       engine.Version
		number        int
		parent        string
		field, reason string
	}{
		"first":                {all: []engine.Version{rolling}, version: incremental("1.0.0", "", 0), number: 1},
		"next":                 {all: chain, version: incremental("1.2.0", "", 0), number: 3, parent: "acme/shop/1.1.0"},
		"named parent":         {all: chain, version: incremental("1.2.0", "1.1.0", 0), number: 3, parent: "acme/shop/1.1.0"},
		"rolling":              {all: chain, version: rolling},
		"exists":               {all: chain, version: incremental("1.0.0", "", 0), number: 1},
		"exists with parent":   {all: chain, version: incremental("1.1.0", "1.0.0", 0), number: 2, parent: "acme/shop/1.0.0"},
		"second child":         {all: chain, version: incremental("1.0.1", "1.0.0", 0), field: "parent_id", reason: `the child "1.1.0"`},
		"rolling is no parent": {all: chain, version: incremental("1.2.0", "main", 0), field: "parent_id", reason: `no incremental version "main"`},
		"unknown parent":       {all: chain, version: incremental("1.2.0", "0.9.0", 0), field: "parent_id", reason: `"0.9.0"`},
	} {
		t.Run(name, func(t *testing.T) {
			number, parent, err := Place(test.all, test.version)
			class := engine.ErrInvalid
			if name == "second child" {
				class = engine.ErrConflict
			}
			wantComplaint(t, err, class, test.field, test.reason)
			if number != test.number || parent != test.parent {
				t.Errorf("place %d after %q, want %d after %q", number, parent, test.number, test.parent)
			}
		})
	}
}

func TestPlaceMakesOneChain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []engine.Version
		for i := range rapid.IntRange(1, 8).Draw(t, "versions") {
			v := incremental(string(rune('a'+i)), "", 0)
			if len(all) > 0 && rapid.Bool().Draw(t, "explicit") {
				v.ParentID = rapid.SampledFrom(all).Draw(t, "parent").ID
			}
			number, parent, err := Place(all, v)
			if err != nil {
				continue
			}
			v.Number, v.ParentID = number, parent
			all = append(all, v)
		}
		for i, v := range all {
			if v.Number != i+1 || (i > 0 && v.ParentID != all[i-1].ID) || (i == 0 && v.ParentID != "") {
				t.Fatalf("no chain: %d %q after %q", v.Number, v.ID, v.ParentID)
			}
		}
	})
}

func TestCheckVersionChange(t *testing.T) {
	image := "registry.acme.dev/a:1@sha256:"
	stored := incremental("1.4.0", "", 1)
	stored.Sealed, stored.Components = true, shop()
	stored.Images = map[string]string{"api": image + "aa"}
	for name, test := range map[string]struct {
		change func(stored, wanted *engine.Version)
		reason string
	}{
		"nothing":     {func(_, w *engine.Version) {}, ""},
		"spelling":    {func(_, w *engine.Version) { c := w.Components["db"]; c.StopGracePeriod = "10s"; w.Components["db"] = c }, ""},
		"changelog":   {func(_, w *engine.Version) { w.Changelog, w.Status = "new", "deprecated" }, ""},
		"no images":   {func(_, w *engine.Version) { w.Images = nil }, ""},
		"tag":         {func(_, w *engine.Version) { w.Images = map[string]string{"api": "other:2@sha256:aa"} }, ""},
		"components":  {func(_, w *engine.Version) { c := w.Components["db"]; c.User = "1"; w.Components["db"] = c }, "its components cannot change"},
		"images":      {func(_, w *engine.Version) { w.Images = map[string]string{"api": image + "bb"} }, "its image digests cannot change"},
		"type":        {func(_, w *engine.Version) { w.Type = "rolling" }, "its type cannot change"},
		"not sealed":  {func(s, w *engine.Version) { s.Sealed, w.Components = false, nil }, ""},
		"less of all": {func(_, w *engine.Version) { delete(w.Components, "db") }, "its components cannot change"},
	} {
		t.Run(name, func(t *testing.T) {
			before, wanted := stored, stored
			wanted.Components = shop()
			test.change(&before, &wanted)
			field := ""
			if test.reason != "" {
				field = "components"
			}
			err := CheckVersionChange(before, wanted)
			wantComplaint(t, err, engine.ErrConflict, field, test.reason)
			for _, e := range engine.All(err) {
				if !strings.Contains(e.Reason, "sealed by its first successful deployment") || !strings.Contains(e.Hint, `slipway_version named "1.4.1"`) {
					t.Errorf("%q, hint %q", e.Reason, e.Hint)
				}
			}
		})
	}
}

func TestNextName(t *testing.T) {
	for name, want := range map[string]string{"1.4.0": "1.4.1", "1.4.9": "1.4.10", "1.4.0-rc.1": "1.4.0", "main": "main-next"} {
		if got := NextName(name); got != want {
			t.Errorf("after %s comes %s, want %s", name, got, want)
		}
	}
}

func TestStateForbids(t *testing.T) {
	version := func(status string) engine.Version { return engine.Version{ID: "acme/shop/1.0.0", Status: status} }
	node := func(allocation string) engine.Node { return engine.Node{ID: "acme/here", Allocation: allocation} }
	product := func(kind string) engine.Product { return engine.Product{Type: kind} }
	for name, test := range map[string]struct {
		err    error
		refuse string // beginning of the error, "" when allowed
	}{
		"active":             {CheckDeployable(version("active"), true), ""},
		"deprecated new":     {CheckDeployable(version("deprecated"), true), "version: "},
		"deprecated old":     {CheckDeployable(version("deprecated"), false), ""},
		"open new":           {CheckAllocation(node("open"), true), ""},
		"unset new":          {CheckAllocation(node(""), true), ""},
		"closed new":         {CheckAllocation(node("closed"), true), "the node acme/here is closed"},
		"closed old":         {CheckAllocation(node("closed"), false), ""},
		"drain new":          {CheckAllocation(node("drain"), true), "the node acme/here is draining"},
		"drain old":          {CheckAllocation(node("drain"), false), "the node acme/here is draining"},
		"simple to complex":  {CheckProductChange(product("simple"), product("complex")), ""},
		"complex to simple":  {CheckProductChange(product("complex"), product("simple")), "type: "},
		"default to simple":  {CheckProductChange(product(""), product("simple")), "type: "},
		"complex to complex": {CheckProductChange(product("complex"), product("complex")), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := complaints(t, test.err, engine.ErrConflict)
			if (len(got) > 0) != (test.refuse != "") || (len(got) > 0 && !strings.HasPrefix(got[0], test.refuse)) {
				t.Errorf("got %q, want %q", got, test.refuse)
			}
		})
	}
}

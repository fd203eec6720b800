package catalog

import (
	"slices"
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

func movable(names ...string) func(string) bool {
	return func(id string) bool { return slices.Contains(names, engine.BaseName(id)) }
}

func TestPlace(t *testing.T) {
	rolling := engine.Version{ID: "acme/shop/main", ProductID: "acme/shop", Name: "main", Type: "rolling"}
	chain := []engine.Version{incremental("1.1.0", "1.0.0", 2), rolling, incremental("1.0.0", "", 1)}
	for name, test := range map[string]struct {
		all           []engine.Version
		version       engine.Version
		moves         []string // versions that may move up
		number        int
		parent        string
		before        string
		field, reason string
	}{
		"first":                {all: []engine.Version{rolling}, version: incremental("1.0.0", "", 0), number: 1},
		"next":                 {all: chain, version: incremental("1.2.0", "", 0), number: 3, parent: "acme/shop/1.1.0"},
		"named parent":         {all: chain, version: incremental("1.2.0", "1.1.0", 0), number: 3, parent: "acme/shop/1.1.0"},
		"rolling":              {all: chain, version: rolling},
		"exists":               {all: chain, version: incremental("1.0.0", "", 0), number: 1},
		"exists with parent":   {all: chain, version: incremental("1.1.0", "1.0.0", 0), number: 2, parent: "acme/shop/1.0.0"},
		"second child":         {all: chain, version: incremental("1.0.1", "1.0.0", 0), field: "parent_id", reason: `it is "1.1.0", and the newest version is "1.1.0"`},
		"rolling is no parent": {all: chain, version: incremental("1.2.0", "main", 0), field: "parent_id", reason: `version "main" is rolling`},
		"unknown parent":       {all: chain, version: incremental("1.2.0", "0.9.0", 0), field: "parent_id", reason: `"0.9.0"`},

		"its parent is to come": {all: append(chain, incremental("1.2.0", "1.1.0", 0)), version: incremental("1.3.0", "1.2.0", 0), parent: "acme/shop/1.2.0"},
		"later came first":      {all: chain, version: incremental("1.0.5", "", 0), moves: []string{"1.1.0"}, number: 2, parent: "acme/shop/1.0.0", before: "acme/shop/1.1.0"},
		"all later came first":  {all: chain, version: incremental("0.9.0", "", 0), moves: []string{"1.0.0", "1.1.0"}, number: 1, before: "acme/shop/1.0.0"},
		"later, but it stays":   {all: chain, version: incremental("1.0.5", "", 0), moves: []string{"1.0.0"}, number: 3, parent: "acme/shop/1.1.0"},
		"earlier came first":    {all: chain, version: incremental("1.2.0", "", 0), moves: []string{"1.1.0"}, number: 3, parent: "acme/shop/1.1.0"},
		"the child may move":    {all: chain, version: incremental("1.2.0", "1.0.0", 0), moves: []string{"1.1.0"}, number: 2, parent: "acme/shop/1.0.0", before: "acme/shop/1.1.0"},
		"what follows stays":    {all: append(chain, incremental("1.3.0", "1.1.0", 3)), version: incremental("1.2.0", "1.0.0", 0), moves: []string{"1.1.0"}, field: "parent_id", reason: `it is "1.1.0"`},
	} {
		t.Run(name, func(t *testing.T) {
			spot, err := Place(test.all, test.version, movable(test.moves...))
			class := engine.ErrInvalid
			if name == "second child" || name == "what follows stays" || name == "rolling is no parent" {
				class = engine.ErrConflict
			}
			wantComplaint(t, err, class, test.field, test.reason)
			if want := (Spot{test.number, test.parent, test.before}); err == nil && spot != want {
				t.Errorf("%+v, want %+v", spot, want)
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
			spot, err := Place(all, v, movable())
			if err != nil {
				continue
			}
			v.Number, v.ParentID = spot.Number, spot.ParentID
			all = append(all, v)
		}
		for i, v := range all {
			if v.Number != i+1 || (i > 0 && v.ParentID != all[i-1].ID) || (i == 0 && v.ParentID != "") {
				t.Fatalf("no chain: %d %q after %q", v.Number, v.ID, v.ParentID)
			}
		}
	})
}

func TestNextName(t *testing.T) {
	for name, want := range map[string]string{"1.4.0": "1.4.1", "1.4.9": "1.4.10", "1.4.0-rc.1": "1.4.0", "main": "main-next"} {
		if got := NextName(name); got != want {
			t.Errorf("after %s comes %s, want %s", name, got, want)
		}
	}
}

func TestStateForbids(t *testing.T) {
	node := func(allocation string) engine.Node { return engine.Node{ID: "acme/here", Allocation: allocation} }
	for name, test := range map[string]struct {
		err    error
		refuse string // beginning of the error, "" when allowed
	}{
		"open new":   {CheckAllocation(node("open"), true), ""},
		"unset new":  {CheckAllocation(node(""), true), ""},
		"closed new": {CheckAllocation(node("closed"), true), "the node acme/here is closed"},
		"closed old": {CheckAllocation(node("closed"), false), ""},
		"drain new":  {CheckAllocation(node("drain"), true), "the node acme/here is draining"},
		"drain old":  {CheckAllocation(node("drain"), false), "the node acme/here is draining"},
	} {
		t.Run(name, func(t *testing.T) {
			got := complaints(t, test.err, engine.ErrConflict)
			if (len(got) > 0) != (test.refuse != "") || (len(got) > 0 && !strings.HasPrefix(got[0], test.refuse)) {
				t.Errorf("got %q, want %q", got, test.refuse)
			}
		})
	}
}

package catalog

import (
	"fmt"
	"slices"

	"github.com/Masterminds/semver/v3"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// ValidateVersion checks a version by itself: its names, its place and its components.
func ValidateVersion(v engine.Version) error {
	var p problems
	if _, err := engine.SplitID("product", v.ProductID, 2); err != nil {
		p.invalid("product_id", "%q is not the id of a product, such as \"acme/shop\"", v.ProductID)
	}
	p.oneOf("type", v.Type, engine.VersionIncremental, engine.VersionRolling)
	p.oneOf("status", v.Status, engine.VersionActive, engine.VersionPreferred, engine.VersionDeprecated)
	p.add(validateVersionName(v))
	p.add(checkID(v.ID, v.ProductID, v.Name))
	p.add(validateParent(v))
	p.add(ValidateComponents(v.Components))
	return p.err()
}

func validateVersionName(v engine.Version) error {
	if v.Type == engine.VersionRolling {
		return engine.CheckName("name", v.Name)
	}
	if len(v.Name) > engine.MaxNameLength {
		return engine.Invalid("name", "%q has %d characters, at most %d are allowed", v.Name, len(v.Name), engine.MaxNameLength)
	}
	if _, err := semver.StrictNewVersion(v.Name); err != nil {
		e := engine.Invalid("name", "%q is not a semantic version, such as 1.4.0", v.Name)
		e.Hint = "Write major.minor.patch without a leading v, or set type = \"rolling\""
		return e
	}
	return nil
}

func validateParent(v engine.Version) error {
	if v.ParentID == "" {
		return nil
	}
	if v.Type == engine.VersionRolling {
		return engine.Invalid("parent_id", "a rolling version stands outside the chain and has no parent")
	}
	if _, err := engine.SplitID("version", v.ParentID, 3); err != nil || engine.ParentID(v.ParentID) != v.ProductID {
		return engine.Invalid("parent_id", "%q is not a version of the product %q", v.ParentID, v.ProductID)
	}
	if v.ParentID == engine.JoinID(v.ProductID, v.Name) {
		return engine.Invalid("parent_id", "a version cannot be its own parent")
	}
	return nil
}

// Place finds the place of v in its product's chain, given all versions that
// the product has, retired ones too. The parent is v.ParentID or else the
// newest, the number is the parent's plus one, 1 for the first; a rolling
// version has number 0 and no parent. A version that exists keeps its place.
// A parent that has a child already is an engine.ErrConflict naming the child.
// A parent whose number is not known yet, 0, gives its child none either.
//
// Versions that one run creates side by side come in any order: before those of
// them that are movable, a version without a parent of its own takes the place
// that its semantic version gives it.
func Place(all []engine.Version, v engine.Version, movable func(id string) bool) (Spot, error) {
	if v.Type == engine.VersionRolling {
		return Spot{}, nil
	}
	if known := find(all, engine.JoinID(v.ProductID, v.Name)); known != nil && (v.ParentID == "" || v.ParentID == known.ParentID) {
		return Spot{Number: known.Number, ParentID: known.ParentID}, nil
	}
	if v.ParentID == "" {
		return placeByName(all, v, movable), nil
	}
	i := slices.IndexFunc(all, func(known engine.Version) bool { return known.ID == v.ParentID })
	if i < 0 {
		return Spot{}, engine.Invalid("parent_id", "the product has no version %q", engine.BaseName(v.ParentID))
	}
	parent := all[i]
	spot := Spot{ParentID: parent.ID}
	if child := childOf(all, parent.ID); child != nil && movesUp(all, *child, movable) {
		spot.Before = child.ID
	} else if err := allowChild(child, newest(all), parent); err != nil {
		return Spot{}, err
	}
	if parent.Number > 0 {
		spot.Number = parent.Number + 1
	}
	return spot, nil
}

// Spot is a place in a product's chain.
type Spot struct {
	Number   int
	ParentID string
	Before   string // the version that becomes the child, and moves up by one with all that follow; "" at the end
}

// movesUp reports whether a version and all that follow it may move.
func movesUp(all []engine.Version, from engine.Version, movable func(id string) bool) bool {
	return best(all, func(v engine.Version) bool { return v.Number >= from.Number && !movable(v.ID) }) == nil
}

// placeByName goes back from the end of the chain, past what may move and comes later.
func placeByName(all []engine.Version, v engine.Version, movable func(id string) bool) Spot {
	spot, last := Spot{Number: 1}, newest(all)
	for last != nil && movable(last.ID) && later(*last, v) {
		spot.Before = last.ID
		last = find(all, last.ParentID)
	}
	if last != nil {
		spot.Number, spot.ParentID = last.Number+1, last.ID
	}
	return spot
}

// later reports whether a's semantic version comes after b's.
func later(a, b engine.Version) bool {
	x, y := semantic(a), semantic(b)
	return x != nil && y != nil && x.GreaterThan(y)
}

// allowChild asks the table whether another version may follow the parent,
// which may have a child.
func allowChild(child, newest *engine.Version, parent engine.Version) error {
	c := Case{Verb: AddChild, Type: parent.Type, Name: parent.Name}
	if child == nil {
		return Allow(c)
	}
	c.Facts = []Fact{HasChild}
	return allow(c, fmt.Sprintf(": it is %q, and the newest version is %q", child.Name, newest.Name))
}

// find looks for an incremental version by its id.
func find(all []engine.Version, id string) *engine.Version {
	return best(all, func(v engine.Version) bool { return v.ID == id })
}

func childOf(all []engine.Version, id string) *engine.Version {
	return best(all, func(v engine.Version) bool { return v.ParentID == id })
}

func newest(all []engine.Version) *engine.Version {
	return best(all, func(engine.Version) bool { return true })
}

// best is the incremental version with the highest number among those that match.
func best(all []engine.Version, match func(engine.Version) bool) *engine.Version {
	var found *engine.Version
	for i, v := range all {
		if v.Type != engine.VersionRolling && match(v) && (found == nil || v.Number > found.Number) {
			found = &all[i]
		}
	}
	return found
}

// NextName is the next patch version after a semantic version; for any other
// name it is the name with "-next".
func NextName(name string) string {
	v, err := semver.StrictNewVersion(name)
	if err != nil {
		return name + "-next"
	}
	return v.IncPatch().String()
}

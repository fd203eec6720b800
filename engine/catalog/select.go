package catalog

import (
	"cmp"
	"slices"

	"github.com/Masterminds/semver/v3"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// SelectVersions picks those that the filter asks for: incremental ones from
// the highest semantic version down, then rolling ones by name. A constraint
// selects incremental versions only; a pre-release matches when the constraint
// names one itself (Masterminds/semver).
func SelectVersions(all []engine.Version, f engine.VersionFilter) ([]engine.Version, error) {
	var allowed *semver.Constraints
	if f.Constraint != "" {
		var err error
		if allowed, err = semver.NewConstraint(f.Constraint); err != nil {
			e := engine.Invalid("constraint", "%q is not a constraint on versions: %v", f.Constraint, err)
			e.Hint = `Write one such as ">= 1.2.0, < 2.0.0" or "~1.4"`
			return nil, e
		}
	}
	picked := slices.DeleteFunc(slices.Clone(all), func(v engine.Version) bool {
		number := semantic(v)
		return f.Status != "" && v.Status != f.Status || allowed != nil && (number == nil || !allowed.Check(number))
	})
	slices.SortStableFunc(picked, func(a, b engine.Version) int {
		x, y := semantic(a), semantic(b)
		switch {
		case x != nil && y != nil:
			return cmp.Or(y.Compare(x), cmp.Compare(a.Name, b.Name))
		case x == nil && y == nil:
			return cmp.Compare(a.Name, b.Name)
		case x == nil:
			return 1
		default:
			return -1
		}
	})
	return picked, nil
}

// semantic is the semantic version of an incremental one, nil of a rolling one.
func semantic(v engine.Version) *semver.Version {
	if v.Type == engine.VersionRolling {
		return nil
	}
	number, err := semver.StrictNewVersion(v.Name)
	if err != nil {
		return nil
	}
	return number
}

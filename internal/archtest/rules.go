package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// pkg is what the rules look at.
type pkg struct {
	path        string   // below the module, "" is the root
	imports     []string // full paths, without those of tests
	testImports []string // full paths
}

// check answers a sentence for every broken rule, in the order of the packages.
func check(packages []pkg) []string {
	var broken []string
	for _, p := range packages {
		broken = append(broken, pointsDown(p)...)
		broken = append(broken, knowsNoTerraform(p)...)
		broken = append(broken, seesTheServiceOnly(p)...)
		broken = append(broken, usesNoFixture(p)...)
		if slices.Contains(pureRooms, roomOf(p.path).path) {
			broken = append(broken, isPure(p.path, p.imports)...)
		}
	}
	return broken
}

// pointsDown holds when every import of the house goes to a lower room.
func pointsDown(p pkg) []string {
	from := roomOf(p.path)
	if from == nowhere {
		return []string{fmt.Sprintf("%s has no place in the house: give it one in internal/archtest/house.go", p.path)}
	}
	var broken []string
	for _, target := range inHouse(p.imports) {
		to := roomOf(target)
		if to.rank >= from.rank && to.path != from.path {
			broken = append(broken, fmt.Sprintf("%s imports %s: arrows point down only", nameOf(p.path), target))
		}
	}
	return broken
}

// knowsNoTerraform holds for the engine, its tests included.
func knowsNoTerraform(p pkg) []string {
	if !within(p.path, "engine") {
		return nil
	}
	var broken []string
	for _, i := range slices.Concat(p.imports, p.testImports) {
		if strings.HasPrefix(i, terraform) {
			broken = append(broken, fmt.Sprintf("%s imports %s: the engine knows nothing of Terraform", p.path, i))
		}
	}
	return broken
}

// seesTheServiceOnly holds when a package of the face imports no inner room of the engine.
func seesTheServiceOnly(p pkg) []string {
	inFace := slices.ContainsFunc(face, func(f string) bool { return within(p.path, f) })
	if !inFace || slices.Contains(wiring, roomOf(p.path).path) {
		return nil
	}
	var broken []string
	for _, target := range inHouse(p.imports) {
		if within(target, "engine") && !slices.Contains(faceSees, target) {
			broken = append(broken, fmt.Sprintf("%s imports %s: what Terraform sees knows the engine's words and Service only", p.path, target))
		}
	}
	return broken
}

// usesNoFixture holds when only tests, fixtures themselves, and programs for
// development use a fixture.
func usesNoFixture(p pkg) []string {
	if isFixture(p.path) || roomOf(p.path).path == "internal" {
		return nil
	}
	var broken []string
	for _, target := range inHouse(p.imports) {
		if isFixture(target) {
			broken = append(broken, fmt.Sprintf("%s imports %s: that is for tests only", nameOf(p.path), target))
		}
	}
	return broken
}

func isFixture(path string) bool {
	return slices.ContainsFunc(fixtures, func(f string) bool { return within(path, f) })
}

// isPure holds when what is imported can do no I/O.
func isPure(path string, imports []string) []string {
	var broken []string
	for _, i := range imports {
		pureRoom := strings.HasPrefix(i, module+"/") && slices.Contains(pureRooms, roomOf(strings.TrimPrefix(i, module+"/")).path)
		if !pureRoom && !slices.Contains(pureStandard, i) && !slices.Contains(pureModules, i) {
			broken = append(broken, fmt.Sprintf("%s imports %s: this is pure code, it does no I/O", path, i))
		}
	}
	return broken
}

var nowhere = room{path: "nowhere", rank: -1}

// roomOf finds the room with the longest path that the package is in.
func roomOf(path string) room {
	found := nowhere
	for _, r := range house {
		if r.path == path || r.path != "" && within(path, r.path) {
			if found == nowhere || len(r.path) > len(found.path) {
				found = r
			}
		}
	}
	return found
}

// within reports whether a package is the one at root or below it.
func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// inHouse keeps the imports of our own packages, as paths below the module.
func inHouse(imports []string) []string {
	var own []string
	for _, i := range imports {
		if within(i, module) {
			own = append(own, strings.TrimPrefix(strings.TrimPrefix(i, module), "/"))
		}
	}
	return own
}

func nameOf(path string) string {
	if path == "" {
		return "main"
	}
	return path
}

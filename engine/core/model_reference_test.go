package core_test

import (
	"errors"
	"maps"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// model is what the engine promises of versions, deployments and revisions
// (design 4.1, 4.2), in as few words as can be: no time, no steps, no node.
type model struct {
	tags        map[string]string // what each tag of the registry is at the moment
	levels      map[string]string // the variable LEVEL of each environment
	versions    map[string]modelVersion
	deployments map[string]modelDeployment
	sealed      map[string]modelVersion // as each was when it was sealed; nobody ever leaves
}

type modelVersion struct {
	rolling, sealed, retired, confirmed bool

	given   bool // its parent was asked for
	number  int
	parent  string
	status  string
	content content
	pins    map[string]string // image digest by component
}

type modelDeployment struct {
	confirmed bool
	revisions []modelRevision
	hurt      hurt
}

// hurt says why a deployment need not be as its store says.
type hurt int

const (
	whole    hurt = iota
	killed        // somebody died while working on it: the next run makes it whole, whatever becomes of it
	tampered      // an instance was taken away, or a node failed: the next run that succeeds makes it whole
)

type modelRevision struct {
	version string // id
	ref     string
	level   string
	content content
	pins    map[string]string
	status  engine.RevisionStatus
}

// once reports whether the revision ever succeeded.
func (r modelRevision) once() bool {
	return r.status == engine.RevisionSuccessful || r.status == engine.RevisionObsolete || r.status == engine.RevisionDowngraded
}

// serving is the revision that serves, nil before the first success.
func (d modelDeployment) serving() *modelRevision {
	for i, r := range d.revisions {
		if r.status == engine.RevisionSuccessful {
			return &d.revisions[i]
		}
	}
	return nil
}

// verdict is how a move ends: nil for well, errRollout for a rollout that
// failed, else the class of the refusal.
type verdict error

var errRollout = errors.New("the rollout failed")

// clone copies what moves change.
func (m *model) clone() *model {
	c := &model{maps.Clone(m.tags), maps.Clone(m.levels), maps.Clone(m.versions), maps.Clone(m.deployments), maps.Clone(m.sealed)}
	for id, d := range c.deployments {
		d.revisions = slices.Clone(d.revisions)
		c.deployments[id] = d
	}
	return c
}

// refOf is the version's present ref.
func (m *model) refOf(id string) string { return refOf(id, m.versions[id].content) }

func refOf(id string, c content) string {
	return catalog.Ref(id, catalog.Digest(c.components()))
}

// pinned resolves what a version's images are: a reference that it had stays
// what it was.
func (m *model) pinned(c content, before *modelVersion) map[string]string {
	pins := map[string]string{}
	for component, tag := range c.tags() {
		pins[component] = m.tags[tag]
		if before != nil && before.content.tags()[component] == tag {
			pins[component] = before.pins[component]
		}
	}
	return pins
}

// movable are versions whose place nobody has seen: left by an interrupted run,
// without a parent of their own.
func (m *model) movable(id string) bool {
	v, there := m.versions[id]
	return there && !v.confirmed && !v.sealed && !v.retired && !v.given
}

// tail is the end of a product's chain.
func (m *model) tail(product string) (id string) {
	for each, v := range m.versions {
		if engine.ParentID(each) == product && v.number > m.versions[id].number {
			id = each
		}
	}
	return id
}

func (m *model) childOf(id string) string {
	for child, v := range m.versions {
		if v.parent == id {
			return child
		}
	}
	return ""
}

// place finds the parent of a new version: the one that it asks for, else the
// end of the chain, before what is movable and comes later by name.
func (m *model) place(id, wanted string) (parent, before string, refused verdict) {
	if wanted == "" {
		parent = m.tail(engine.ParentID(id))
		for m.movable(parent) && parent > id {
			before, parent = parent, m.versions[parent].parent
		}
		return parent, before, nil
	}
	if _, known := m.versions[wanted]; !known {
		return "", "", engine.ErrInvalid
	}
	if before = m.childOf(wanted); before != "" && !m.moveUp(before) {
		return "", "", engine.ErrConflict
	}
	return wanted, before, nil
}

// moveUp reports whether a version and all that follow it are movable.
func (m *model) moveUp(from string) bool {
	for id, v := range m.versions {
		if engine.ParentID(id) == engine.ParentID(from) && v.number >= m.versions[from].number && !m.movable(id) {
			return false
		}
	}
	return true
}

// insert puts a version after its parent: what follows moves up by one.
func (m *model) insert(id, parent, before string) (number int) {
	number = m.versions[parent].number + 1
	for other, v := range m.versions {
		if engine.ParentID(other) == engine.ParentID(id) && v.number >= number {
			v.number++
			if other == before {
				v.parent = id
			}
			m.versions[other] = v
		}
	}
	return number
}

// used reports whether a revision refers to the version.
func (m *model) used(id string) bool {
	for _, d := range m.deployments {
		if slices.ContainsFunc(d.revisions, func(r modelRevision) bool { return r.version == id }) {
			return true
		}
	}
	return false
}

// owner is the deployment that has the prefix on the node of an environment.
func (m *model) owner(environment, prefix string) string {
	for id := range m.deployments {
		if nodeOf[engine.ParentID(id)] == nodeOf[environment] && engine.BaseName(id) == prefix {
			return id
		}
	}
	return ""
}

// write puts a version over what is there; the preferred one takes its place
// from the one that was.
func (m *model) write(id string, v modelVersion) {
	if v.status == engine.VersionPreferred {
		for other, o := range m.versions {
			if engine.ParentID(other) == engine.ParentID(id) && o.status == engine.VersionPreferred {
				o.status = engine.VersionActive
				m.versions[other] = o
			}
		}
	}
	m.versions[id] = v
}

// succeed makes a revision the one that serves: what served before is obsolete,
// or downgraded where its version is newer, and the version is sealed.
func (m *model) succeed(deployment string, number int) {
	d := m.deployments[deployment]
	serving := d.revisions[number-1]
	for i, r := range d.revisions {
		switch {
		case i == number-1:
			d.revisions[i].status = engine.RevisionSuccessful
		case r.once() && m.versions[serving.version].number > 0 && m.versions[r.version].number > m.versions[serving.version].number && engine.ParentID(r.version) == engine.ParentID(serving.version):
			d.revisions[i].status = engine.RevisionDowngraded
		case r.once():
			d.revisions[i].status = engine.RevisionObsolete
		}
	}
	m.deployments[deployment] = d
	if v := m.versions[serving.version]; !v.rolling && !v.sealed {
		v.sealed = true
		m.versions[serving.version], m.sealed[serving.version] = v, v
	}
}

// revise adds a revision of the version as it is.
func (m *model) revise(deployment, version string, status engine.RevisionStatus) {
	d, v := m.deployments[deployment], m.versions[version]
	d.revisions = append(d.revisions, modelRevision{
		version: version, ref: m.refOf(version), level: m.levels[engine.ParentID(deployment)],
		content: v.content, pins: v.pins, status: status,
	})
	m.deployments[deployment] = d
}

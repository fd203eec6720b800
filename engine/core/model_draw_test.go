package core_test

import (
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

var (
	modelProducts = []string{"acme/shop", "acme/blog"}
	modelNames    = []string{"1.0.0", "2.0.0", "3.0.0", "4.0.0", "edge"} // the last one is rolling
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// seldom is true once in n times.
func seldom(t *rapid.T, n int, what string) bool { return rapid.IntRange(1, n).Draw(t, what) == n }

// drawAny is any move.
func (u *universe) drawAny(t *rapid.T) move {
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0, 1, 2:
		return u.drawDeploy(t)
	case 3, 4:
		return u.drawVersion(t)
	}
	return u.drawOther(t)
}

// drawWork is a move that works on a deployment.
func (u *universe) drawWork(t *rapid.T) move {
	if len(u.model.deployments) > 0 && seldom(t, 5, "destroys") {
		return destroy{rapid.SampledFrom(sortedKeys(u.model.deployments)).Draw(t, "deployment")}
	}
	return u.drawDeploy(t)
}

func (u *universe) drawOther(t *rapid.T) move {
	environment, prefix := u.drawPlace(t)
	if rapid.Bool().Draw(t, "level") {
		return setLevel{environment, rapid.SampledFrom([]string{"1", "2"}).Draw(t, "value")}
	}
	return destroy{engine.JoinID(environment, prefix)}
}

// drawDeploy deploys any version that there is, or seldom one that is not, to
// any place; a deployment stays with its product.
func (u *universe) drawDeploy(t *rapid.T) move {
	d := deploy{confirm: !seldom(t, 8, "forgotten")}
	d.environment, d.prefix = u.drawPlace(t)
	present, there := u.model.deployments[d.id()]
	versions := slices.DeleteFunc(sortedKeys(u.model.versions), func(id string) bool {
		return len(present.revisions) > 0 && engine.ParentID(id) != engine.ParentID(present.revisions[0].version)
	})
	if len(versions) == 0 {
		return u.drawVersion(t)
	}
	version := rapid.SampledFrom(versions).Draw(t, "version")
	d.ref = u.model.refOf(version)
	if seldom(t, 20, "stale") {
		d.ref = refOf(version, drawContent(t))
	}
	d.create = !there || !present.confirmed
	if seldom(t, 20, "mistaken") {
		d.create = !d.create
	}
	return d
}

// drawPlace mostly avoids those whose prefix somebody else has.
func (u *universe) drawPlace(t *rapid.T) (environment, prefix string) {
	environment = rapid.SampledFrom(sortedKeys(nodeOf)).Draw(t, "environment")
	prefix = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "prefix")
	if owner := u.model.owner(environment, prefix); owner != "" && !seldom(t, 8, "invades") {
		environment = engine.ParentID(owner)
	}
	return environment, prefix
}

// drawVersion adds, changes or drops a version, or brings one back.
func (u *universe) drawVersion(t *rapid.T) move {
	a := addVersion{
		id:      engine.JoinID(rapid.SampledFrom(modelProducts).Draw(t, "product"), rapid.SampledFrom(modelNames).Draw(t, "name")),
		status:  rapid.SampledFrom([]string{engine.VersionActive, engine.VersionActive, engine.VersionActive, engine.VersionActive, engine.VersionPreferred, engine.VersionDeprecated}).Draw(t, "status"),
		confirm: !seldom(t, 8, "forgotten"),
	}
	present, there := u.model.versions[a.id]
	a.rolling = engine.BaseName(a.id) == "edge"
	a.content = present.content
	if !there || rapid.Bool().Draw(t, "new content") {
		a.content = drawContent(t)
	}
	switch verb := rapid.IntRange(0, 5).Draw(t, "verb"); {
	case verb == 5:
		return dropVersion{id: a.id}
	case there && !present.retired && verb > 0:
		return editVersion{a}
	}
	if !there && !a.rolling && seldom(t, 6, "has a parent") {
		if parent := engine.JoinID(engine.ParentID(a.id), rapid.SampledFrom(modelNames[:4]).Draw(t, "parent")); parent != a.id {
			a.parent = parent
		}
	}
	return a
}

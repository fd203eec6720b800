package core_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/fake"
)

// check says what of the promises does not hold, nil when all do.
func (u *universe) check(m *model, now rows) error {
	if err := oneOwner(now); err != nil {
		return err
	}
	if err := sealsHold(m, now); err != nil {
		return err
	}
	if err := versionsAre(m, now); err != nil {
		return err
	}
	if err := deploymentsAre(m, now); err != nil {
		return err
	}
	for id, level := range now.levels {
		if m.levels[id] != level {
			return fmt.Errorf("the LEVEL of %s is %q, want %q", id, level, m.levels[id])
		}
	}
	for id, n := range u.nodes {
		if err := nodeIs(m, id, n); err != nil {
			return err
		}
	}
	return nil
}

// oneOwner: never two successful revisions, nor two owners, for one node and prefix.
func oneOwner(now rows) error {
	successful, owners := map[string]int{}, map[string]string{}
	for id, d := range now.deployments {
		place := d.node + " " + d.prefix
		if other, taken := owners[place]; taken {
			return fmt.Errorf("%s belongs to %s and to %s", place, id, other)
		}
		owners[place] = id
		for _, r := range d.revisions {
			if r.status == engine.RevisionSuccessful {
				successful[place]++
			}
		}
		if successful[place] > 1 {
			return fmt.Errorf("%s has %d successful revisions", place, successful[place])
		}
	}
	return nil
}

// sealsHold: what was sealed once is never lost, and has the content and
// the images that it had then.
func sealsHold(m *model, now rows) error {
	for id, v := range m.sealed {
		found, there := now.versions[id]
		switch {
		case !there:
			return fmt.Errorf("version %s, which was sealed, is lost", id)
		case !found.sealed, refOf(id, v.content) != id+"@"+found.digest, !maps.Equal(v.pins, found.pins):
			return fmt.Errorf("version %s was sealed as %+v, is %+v", id, v, found)
		}
	}
	return nil
}

func versionsAre(m *model, now rows) error {
	for id, found := range now.versions {
		if _, known := m.versions[id]; !known {
			return fmt.Errorf("version %s should not be there: %+v", id, found)
		}
	}
	for id, v := range m.versions {
		found, there := now.versions[id]
		if !there {
			return fmt.Errorf("version %s is not there", id)
		}
		want := versionRow{v.rolling, v.sealed, v.retired, v.confirmed, v.number, v.parent, v.status, found.digest, found.pins}
		if fmt.Sprint(want) != fmt.Sprint(found) || m.refOf(id) != id+"@"+found.digest || !maps.Equal(v.pins, found.pins) {
			return fmt.Errorf("version %s is %+v, want %+v", id, found, v)
		}
	}
	return nil
}

// deploymentsAre: every deployment, its revisions and their statuses.
func deploymentsAre(m *model, now rows) error {
	for id := range now.deployments {
		if _, known := m.deployments[id]; !known {
			return fmt.Errorf("deployment %s should not be there", id)
		}
	}
	for id := range m.deployments {
		if err := deploymentIs(m, now, id); err != nil {
			return err
		}
	}
	return nil
}

func deploymentIs(m *model, now rows, id string) error {
	d, wanted := m.deployments[id]
	found, there := now.deployments[id]
	switch {
	case wanted != there:
		return fmt.Errorf("deployment %s is there: %v, want %v", id, there, wanted)
	case !wanted:
		return nil
	}
	serving := 0
	var want []revisionRow
	for i, r := range d.revisions {
		want = append(want, revisionRow{r.ref, r.status})
		if r.status == engine.RevisionSuccessful {
			serving = i + 1
		}
	}
	if !slices.Equal(found.revisions, want) || found.serving != serving || found.confirmed != d.confirmed {
		return fmt.Errorf("deployment %s is %+v, want revisions %v, serving %d, confirmed %v", id, found, want, serving, d.confirmed)
	}
	if now.running[id] && d.hurt == whole {
		return fmt.Errorf("deployment %s has an operation that never ended", id)
	}
	return nil
}

// nodeIs: what serves is what the store says, and nothing is without an owner.
func nodeIs(m *model, id string, n *fake.Node) error {
	running := map[string]map[string][]string{} // deployment -> component -> names
	for _, i := range n.All() {
		d, known := m.deployments[i.Key.Deployment]
		if !known || nodeOf[engine.ParentID(i.Key.Deployment)] != id {
			return fmt.Errorf("%s of %s on %s has no owner", i.Key.Name, i.Key.Deployment, id)
		}
		if d.hurt != whole {
			continue
		}
		if err := instanceIs(d, i, n.Spec(i.Key)); err != nil {
			return fmt.Errorf("%s of %s: %w", i.Key.Name, i.Key.Deployment, err)
		}
		if running[i.Key.Deployment] == nil {
			running[i.Key.Deployment] = map[string][]string{}
		}
		of := running[i.Key.Deployment]
		of[i.Labels.Component] = append(of[i.Labels.Component], i.Key.Name)
	}
	for deployment, d := range m.deployments {
		if d.hurt != whole || nodeOf[engine.ParentID(deployment)] != id {
			continue
		}
		if err := servesAll(d, deployment, n, running[deployment]); err != nil {
			return fmt.Errorf("deployment %s: %w", deployment, err)
		}
	}
	return nil
}

// instanceIs: the instance runs, and is what the serving revision says.
func instanceIs(d modelDeployment, i node.Instance, made node.Spec) error {
	serving := d.serving()
	if serving == nil {
		return fmt.Errorf("it is there, and nothing serves")
	}
	env := serving.content.env(i.Labels.Component)
	if serving.level != "" {
		env["LEVEL"] = serving.level
	}
	pin := serving.pins[i.Labels.Component]
	switch {
	case i.State != node.Running:
		return fmt.Errorf("it is %s", i.State)
	case !maps.Equal(made.Env, env):
		return fmt.Errorf("it was made with %v, %s says %v", made.Env, serving.ref, env)
	case pin == "" || made.Image[len(made.Image)-len(pin):] != pin:
		return fmt.Errorf("it was made of %s, %s says %s", made.Image, serving.ref, pin)
	case i.Labels.Revision > len(d.revisions) || !d.revisions[i.Labels.Revision-1].once():
		return fmt.Errorf("it belongs to revision %d, which never succeeded", i.Labels.Revision)
	}
	return nil
}

// servesAll: as many instances as wanted, and the traffic leads to just these.
func servesAll(d modelDeployment, id string, n *fake.Node, running map[string][]string) error {
	serving := d.serving()
	if serving == nil {
		return fmt.Errorf("it exists, and nothing serves")
	}
	want := serving.content.replicas()
	for component := range running {
		if want[component] != len(running[component]) {
			return fmt.Errorf("%v run, want %v", running, want)
		}
	}
	for component, count := range want {
		routed := n.Routed(id, component)
		slices.Sort(routed)
		if len(running[component]) != count || !slices.Equal(routed, running[component]) {
			return fmt.Errorf("of %s run %v and have the traffic %v, want %d", component, running[component], routed, count)
		}
	}
	if lines := n.Lines(id); len(lines) != len(want) {
		return fmt.Errorf("the traffic table has lines for %v, want %v", lines, want)
	}
	return nil
}

// adopt takes over from the store what nobody can foretell of a run that died or
// met faults: which of the revisions that it could make it made, and whether the
// last of them succeeded. Everything else must follow from that.
func adopt(m *model, now rows, id string, h hurt, refs ...string) error {
	found, there := now.deployments[id]
	before, was := m.deployments[id]
	if !there {
		delete(m.deployments, id)
		return nil
	}
	if !was {
		before = modelDeployment{}
	}
	before.hurt, before.confirmed = h, found.confirmed
	m.deployments[id] = before
	if len(found.revisions) < len(before.revisions) {
		return fmt.Errorf("deployment %s lost revisions: %v", id, found.revisions)
	}
	for i, r := range found.revisions {
		if i < len(before.revisions) {
			if before.revisions[i].status == engine.RevisionInProgress && r.status == engine.RevisionFailed {
				before.revisions[i].status = engine.RevisionFailed
			}
			continue
		}
		if !slices.Contains(refs, r.ref) {
			return fmt.Errorf("deployment %s has a revision of %s, wanted were %v", id, r.ref, refs)
		}
		version, _, err := engine.SplitRef(r.ref)
		if err != nil {
			return err
		}
		if m.revise(id, version, r.status); r.status == engine.RevisionSuccessful || r.status == engine.RevisionObsolete {
			m.succeed(id, i+1)
		}
	}
	return nil
}

// sealedAndGone takes over the seals of deployments that succeeded and were
// destroyed at once.
func sealedAndGone(m *model, now rows, refs []string) {
	for _, ref := range refs {
		id, digest, err := engine.SplitRef(ref)
		v, known := m.versions[id]
		if found := now.versions[id]; err == nil && known && !v.sealed && found.sealed && found.digest == digest {
			v.sealed = true
			m.versions[id], m.sealed[id] = v, v
		}
	}
}

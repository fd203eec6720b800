package core_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// twoAtOnce has both engines make a move at the same time: it must be as if one
// had come after the other.
func (u *universe) twoAtOnce(t *rapid.T) {
	moves := [2]move{u.drawAny(t), u.drawAny(t)}
	if u.foreseeable(moves) {
		u.mustBeInOrder(t, moves, u.atOnce(moves))
	}
}

func (u *universe) foreseeable(moves [2]move) bool {
	return u.model.deployments[deploymentOf(moves[0])].hurt != tampered && u.model.deployments[deploymentOf(moves[1])].hurt != tampered
}

func (u *universe) mustBeInOrder(t *rapid.T, moves [2]move, errs [2]error) {
	u.told("%s: %v, while %s: %v", moves[0], errs[0], moves[1], errs[1])
	if tried := u.inSomeOrder(moves, errs); tried != "" {
		u.fail(t, fmt.Errorf("neither of them comes first:%s", tried))
	}
}

func (u *universe) atOnce(moves [2]move) (errs [2]error) {
	var wait sync.WaitGroup
	for i, m := range moves {
		run := u.nextRun()
		wait.Go(func() { errs[i] = u.play(u.players[i], m, run) })
	}
	wait.Wait()
	return errs
}

// inSomeOrder finds the order in which the moves end as they did and leave what
// there is; it answers what does not fit, "" when something does.
func (u *universe) inSomeOrder(moves [2]move, errs [2]error) (tried string) {
	now := u.raw.read()
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		a, b := order[0], order[1]
		for _, first := range u.variants(moves[a], moves[b], errs[a]) {
			for _, second := range u.variants(moves[b], moves[a], errs[b]) {
				m := u.model.clone()
				got := [2]verdict{first.expect(m), second.expect(m)}
				if got != [2]verdict{verdictOf(errs[a]), verdictOf(errs[b])} {
					tried += fmt.Sprintf("\n%s, then %s: want %v", first, second, got)
					continue
				}
				if err := u.check(m, now); err != nil {
					tried += fmt.Sprintf("\n%s, then %s: %v", first, second, err)
					continue
				}
				u.become(m)
				return ""
			}
		}
	}
	return tried
}

// variants are the ways in which a move may end otherwise than alone, because
// another one is under way: it is refused for what the other one holds only for
// a while, or finds that changed what it began with.
func (u *universe) variants(m, other move, err error) []move {
	all := []move{m}
	refused := verdictOf(err)
	o, deploys := other.(deploy)
	rollsOut := deploys && strings.HasPrefix(o.ref, versionOf(m)+"@") || u.leftOpen(deploymentOf(other), versionOf(m))
	if versionOf(m) != "" && rollsOut && errors.Is(refused, engine.ErrConflict) {
		all = append(all, turnedAway{m, refused}) // it is under way
	}
	switch m := m.(type) {
	case deploy:
		id, _, _ := engine.SplitRef(m.ref)
		if versionOf(other) == id {
			late := m
			late.late = true
			all = append(all, late)
			if _, drops := other.(dropVersion); drops && errors.Is(refused, engine.ErrInvalid) { // before it had a revision
				all = append(all, turnedAway{m, refused}, endsAs{late, refused})
			}
		}
		if o, ok := other.(deploy); ok && o.prefix == m.prefix && o.environment != m.environment && errors.Is(refused, engine.ErrConflict) && strings.Contains(err.Error(), o.id()) {
			all = append(all, turnedAway{m, refused})
		}
	case dropVersion:
		if o, ok := other.(deploy); ok && strings.HasPrefix(o.ref, m.id+"@") {
			all = append(all, dropVersion{id: m.id, retires: true})
		}
	case destroy:
		if errors.Is(refused, engine.ErrConflict) && deploymentOf(other) == m.id {
			all = append(all, turnedAway{m, refused}) // it is under way
		}
	case editVersion:
		if found := u.foundBy(m.addVersion, other); found != nil {
			late := m
			late.found = found
			all = append(all, late)
		}
		if engine.ParentID(versionOf(other)) == engine.ParentID(m.id) && errors.Is(refused, engine.ErrConflict) {
			all = append(all, turnedAway{m, refused}) // it has another place now
		}
	case addVersion:
		if found := u.foundBy(m, other); found != nil {
			late := m
			late.found = found
			all = append(all, late)
		}
		if engine.ParentID(versionOf(other)) == engine.ParentID(m.id) && (errors.Is(refused, engine.ErrConflict) || errors.Is(refused, engine.ErrInvalid)) {
			all = append(all, turnedAway{m, refused})
		}
	}
	return all
}

// leftOpen reports whether somebody died while rolling the version out there: as long
// as another one holds the deployment, it may as well be that one who does.
func (u *universe) leftOpen(deployment, version string) bool {
	return slices.ContainsFunc(u.model.deployments[deployment].revisions, func(r modelRevision) bool {
		return r.version == version && r.status == engine.RevisionInProgress
	})
}

// foundBy is the version that a move may have found before the other one changed or
// dropped it, nil when it was not there.
func (u *universe) foundBy(m addVersion, other move) *modelVersion {
	v, there := u.model.versions[m.id]
	if !there || versionOf(other) != m.id {
		return nil
	}
	return &v
}

// turnedAway is a move that was refused and changed nothing.
type turnedAway struct {
	move
	with verdict
}

func (r turnedAway) expect(*model) verdict { return r.with }

// endsAs is a move that says something else than it would alone.
type endsAs struct {
	move
	with verdict
}

func (e endsAs) expect(m *model) verdict {
	e.move.expect(m)
	return e.with
}

func versionOf(m move) string {
	switch m := m.(type) {
	case addVersion:
		return m.id
	case editVersion:
		return m.id
	case dropVersion:
		return m.id
	}
	return ""
}

// twoAndOneDies has both engines work on deployments, and one of them die.
func (u *universe) twoAndOneDies(t *rapid.T) {
	moves := [2]move{u.drawWork(t), u.drawWork(t)}
	if !u.foreseeable(moves) || deploymentOf(moves[0]) == "" || deploymentOf(moves[1]) == "" {
		return
	}
	mortal, other := u.players[0], u.players[1]
	mortal.meet(drawDeath(t))
	errs := u.atOnce(moves)
	if !mortal.isDead() {
		u.revive(mortal)
		u.mustBeInOrder(t, moves, errs)
		return
	}
	u.told("%s, %s: %v, while %s: %v", moves[0], mortal.fate, errs[0], moves[1], errs[1])
	hurts := [2]hurt{u.hurtBy(mortal, moves[0], errs[0]), u.hurtBy(other, moves[1], errs[1])}
	if deploymentOf(moves[0]) == deploymentOf(moves[1]) {
		u.settleAccounts(t, max(hurts[0], hurts[1]), moves[0], moves[1])
	} else {
		u.settleAccounts(t, hurts[0], moves[0])
		u.settleAccounts(t, hurts[1], moves[1])
	}
	u.revive(mortal)
}

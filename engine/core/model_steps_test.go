package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/fake"
)

// play has a player make a move, in a run of its own.
func (u *universe) play(p *player, m move, run string) error {
	p.on = deploymentOf(m)
	p.engine.BeginRun(run)
	return m.run(context.Background(), p.engine)
}

// told writes down what happened.
func (u *universe) told(format string, args ...any) {
	u.story = append(u.story, fmt.Sprintf("%d. "+format, append([]any{len(u.story) + 1}, args...)...))
}

// fail ends the walk with its whole story: what two engines do at once, or do
// not get done, need not happen again on the same walk.
func (u *universe) fail(t *rapid.T, err error) {
	t.Fatalf("%v\n%s", err, strings.Join(u.story, "\n"))
}

// nextRun names a run of Terraform.
func (u *universe) nextRun() string {
	u.runs++
	return fmt.Sprint(u.runs)
}

func deploymentOf(m move) string {
	switch m := m.(type) {
	case deploy:
		return m.id()
	case destroy:
		return m.id
	}
	return ""
}

// alone makes a move, and demands that it ends as the model says.
func (u *universe) alone(t *rapid.T, m move) {
	p := u.players[rapid.IntRange(0, 1).Draw(t, "player")]
	if u.model.deployments[deploymentOf(m)].hurt == tampered {
		u.unforeseen(t, p, m)
		return
	}
	err := u.play(p, m, u.nextRun())
	u.told("%s: %v", m, err)
	if want := m.expect(u.model); verdictOf(err) != want {
		u.fail(t, fmt.Errorf("%s: %w, wanted was: %w", m, told(err), told(want)))
	}
}

// death kills an engine in the middle of a move.
func (u *universe) death(t *rapid.T) {
	m, p := u.drawWork(t), u.players[0]
	if deploymentOf(m) == "" {
		u.alone(t, m)
		return
	}
	p.meet(drawDeath(t))
	u.unforeseen(t, p, m)
}

func drawDeath(t *rapid.T) fate {
	return fate{dies: rapid.SampledFrom(moments).Draw(t, "dies"), at: rapid.IntRange(1, 25).Draw(t, "at")}
}

var methods = []string{
	"observe", "pull", "preflight", "create", "start", "stop", "remove", "route", "dial", "drain", "prune", "remove-deployment",
}

// fault has a node fail in the middle of a move.
func (u *universe) fault(t *rapid.T) {
	m, p := u.drawWork(t), u.players[1]
	if deploymentOf(m) == "" {
		u.alone(t, m)
		return
	}
	fails := rapid.SampledFrom(methods).Draw(t, "fails")
	if d, ok := m.(deploy); ok && fails == "dial" && u.diesSoon(d) {
		fails = "start" // it may not be probed often enough to die
	}
	p.meet(fate{
		fails: fails, at: rapid.IntRange(1, 4).Draw(t, "at"),
		times: rapid.SampledFrom([]int{1, 2, 1000}).Draw(t, "times"), away: rapid.Bool().Draw(t, "away"),
	})
	u.unforeseen(t, p, m)
}

func (u *universe) diesSoon(d deploy) bool {
	id, _, _ := engine.SplitRef(d.ref)
	return strings.HasSuffix(u.model.versions[id].content.Bad, fake.DiesSoon)
}

// unforeseen makes a move of which only the outlines can be foretold.
func (u *universe) unforeseen(t *rapid.T, p *player, m move) {
	err := u.play(p, m, u.nextRun())
	u.told("%s, %s: %v", m, p.fate, err)
	h := u.hurtBy(p, m, err)
	u.settleAccounts(t, h, m)
	u.revive(p)
}

// settleAccounts takes over what moves, all of one deployment, have made of it.
func (u *universe) settleAccounts(t *rapid.T, h hurt, moves ...move) {
	now := u.raw.read()
	var tried []error
	for _, m := range u.pasts(moves) {
		err := adoptAll(m, now, h, moves)
		if err == nil {
			err = deploymentIs(m, now, deploymentOf(moves[0]))
		}
		if err == nil {
			u.become(m)
			return
		}
		tried = append(tried, err)
	}
	u.fail(t, errors.Join(tried...))
}

// pasts are what moves that were made at once may have begun with: where one of
// them ended the deployment, another may have made it anew. Destroying ends it, and
// failing where nothing serves.
func (u *universe) pasts(moves []move) []*model {
	all := []*model{u.model.clone()}
	d := u.model.deployments[deploymentOf(moves[0])]
	ends := func(m move) bool { _, destroys := m.(destroy); return destroys || d.serving() == nil }
	if len(moves) > 1 && slices.ContainsFunc(moves, ends) {
		anew := u.model.clone()
		delete(anew.deployments, deploymentOf(moves[0]))
		all = append(all, anew)
	}
	return all
}

func adoptAll(m *model, now rows, h hurt, moves []move) error {
	var refs []string
	for _, one := range moves {
		if d, ok := one.(deploy); ok {
			refs = append(refs, d.ref)
		}
	}
	if len(moves) > 1 {
		sealedAndGone(m, now, refs)
	}
	return adopt(m, now, deploymentOf(moves[0]), h, refs...)
}

// become takes a model over as what is.
func (u *universe) become(m *model) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.model = m
}

// hurtBy says how a move leaves its deployment.
func (u *universe) hurtBy(p *player, m move, err error) hurt {
	before := u.model.deployments[deploymentOf(m)].hurt
	var failed *engine.RolloutError
	rolled := errors.As(err, &failed)
	_, deploys := m.(deploy)
	switch {
	case p.isDead() && !deploys:
		return tampered // everything may be gone already
	case p.isDead():
		return max(before, killed)
	case err == nil && deploys && !p.struck():
		return whole
	case err == nil && deploys:
		return killed // what fails after the commit is left to the next run
	case rolled && failed.Leftover:
		return max(before, killed)
	case rolled && failed.Phase != engine.PhasePreflight && before == killed:
		return whole
	}
	return before
}

// revive gives a player whose engine died another one.
func (u *universe) revive(p *player) {
	p.meet(fate{})
	if p.isDead() {
		_ = p.engine.Close()
		u.players[slices.Index(u.players, p)] = u.newPlayer()
	}
}

// tamper takes an instance away, or ends it, behind everybody's back.
func (u *universe) tamper(t *rapid.T) {
	var all []node.Key
	for _, id := range sortedKeys(u.nodes) {
		for _, i := range u.nodes[id].All() {
			if u.model.deployments[i.Key.Deployment].hurt != killed {
				all = append(all, i.Key)
			}
		}
	}
	if len(all) == 0 {
		return
	}
	key := rapid.SampledFrom(all).Draw(t, "instance")
	n := u.nodes[nodeOf[engine.ParentID(key.Deployment)]]
	if rapid.Bool().Draw(t, "gone") {
		n.Lose(key)
	} else {
		n.Alter(key, func(i *node.Instance) { i.State, i.ExitCode = node.Exited, 137 })
	}
	u.told("somebody ended or removed %s of %s", key.Name, key.Deployment)
	d := u.model.deployments[key.Deployment]
	d.hurt = tampered
	u.model.deployments[key.Deployment] = d
}

// moveTag pushes another image under a tag.
func (u *universe) moveTag(t *rapid.T) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.model.tags[rapid.SampledFrom([]string{"1", "2"}).Draw(t, "tag")] = rapid.SampledFrom(u.digests).Draw(t, "digest")
}

// told is an error for a sentence, also where there is none.
func told(err error) error {
	if err == nil {
		return errors.New("success")
	}
	return err
}

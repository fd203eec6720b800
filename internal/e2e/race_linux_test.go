package e2e

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// racer deploys what is there already, by ids.
const racer = head + `
variable "release" { default = "1.0.0" }
variable "who" { default = "" }

resource "slipway_deployment" "shop" {
  environment_id = "acme/staging"
  version        = "acme/shop/${var.release}"
  prefix         = "${var.prefix}-raced"
  variables      = { WHO = var.who }
  strategy       = { min_healthy_time = "200ms", progress_deadline = "1m" }
}

output "url" { value = slipway_deployment.shop.endpoints["api/http"].url }
`

// TestRace lets copies of one configuration create the same deployment at once,
// and then change it at once: whoever wins, it runs once.
func TestRace(t *testing.T) { everywhere(t, race) }

func race(t *testing.T, on nodeKind) {
	owner := on.newWorld(t, shop)
	owner.apply()
	all := []*world{on.newWorld(t, racer), on.newWorld(t, racer)}
	var losers []*world
	for _, w := range all {
		w.share(owner)
	}
	for n, r := range together(all...) {
		switch {
		case r.code == 0:
		case strings.Contains(r.said, "already exists"):
			losers = append(losers, all[n])
		default:
			t.Errorf("terraform %d lost with another reason:\n%s", n, r.said)
		}
	}
	if len(losers) > 1 {
		t.Error("nobody won")
	}
	t.Logf("%d of 2 have the deployment", 2-len(losers))
	owner.ranTwice(1)

	for _, w := range losers {
		w.must("import", "-input=false", "-no-color", "slipway_deployment.shop", "acme/staging/"+on.variables["prefix"]+"-raced")
	}
	all[0].set("who", "one")
	all[1].set("who", "two")
	for n, r := range together(all...) {
		if r.code != 0 {
			t.Errorf("terraform %d ended with %d:\n%s", n, r.code, r.said)
		}
	}
	all[0].apply()
	all[0].nothingToDo()
	if page, err := get(all[0].text("url") + "/env"); err != nil || !strings.Contains(page, "WHO=one") {
		t.Errorf("the one that applied last has set %q (%v)", page, err)
	}
	owner.ranTwice(0)
	all[0].destroy()
	all[1].destroy() // there is nothing left for the other
	owner.expectSettled(both)
	owner.nothingToDo()
}

// contender brings an environment of its own to the node of others, and wants a
// prefix there that all contenders want.
const contender = head + `
variable "who" { type = string }

resource "slipway_environment" "own" {
  team_id = "acme"
  node_id = "acme/here"
  name    = "contender-${var.who}"
  type    = "preview"
}

resource "slipway_deployment" "shop" {
  environment_id = slipway_environment.own.id
  version        = "acme/shop/1.0.0"
  prefix         = "${var.prefix}-wanted"
  strategy       = { min_healthy_time = "200ms", progress_deadline = "1m" }
}
`

// contenders is how many terraforms want one prefix on one node at once.
const contenders = 5

// TestContenders has terraforms of different configurations create deployments of one
// prefix on one node at once: it is one's, the others are told whose, also by their
// next plan, and one of them gets it once its owner leaves.
func TestContenders(t *testing.T) { everywhere(t, contend) }

func contend(t *testing.T, on nodeKind) {
	ground := on.newWorld(t, tiny)
	ground.apply()
	var all []*world
	for n := range contenders {
		w := on.newWorld(t, contender)
		w.share(ground)
		w.set("who", fmt.Sprint(n))
		all = append(all, w)
	}
	ends, owner := together(all...), -1
	for n, r := range ends {
		if r.code == 0 && owner >= 0 {
			t.Fatalf("%d and %d both have the prefix", owner, n)
		}
		if r.code == 0 {
			owner = n
		}
	}
	if owner < 0 {
		t.Fatalf("nobody has the prefix; the first was told:\n%s", ends[0].said)
	}
	whose := fmt.Sprintf("acme/contender-%d/%s-wanted", owner, on.variables["prefix"])
	atPlan := 0
	for n, w := range all {
		if n == owner {
			w.nothingToDo()
			continue
		}
		expectSaid(t, ends[n].said, whose)
		if strings.Contains(ends[n].said, "Plan deployment") {
			atPlan++
		}
		if next := w.run("plan", "-input=false", "-no-color"); next.code == 0 {
			t.Errorf("terraform %d plans what it cannot have:\n%s", n, next.said)
		} else {
			expectSaid(t, next.said, "Plan deployment", whose)
		}
	}
	t.Logf("%s has the prefix; of %d others %d were told so at plan, the rest while applying", whose, contenders-1, atPlan)
	ground.runsOnce()
	all[owner].destroy()
	heir := all[(owner+1)%contenders]
	heir.apply()
	heir.nothingToDo()
	ground.runsOnce()
	heir.destroy() // before the others: Terraform plans as ever before it plans to destroy
	for _, w := range all {
		w.destroy()
	}
	ground.expectNothingLeft()
}

// runsOnce holds when one instance runs on the node, and nothing else is there.
func (w *world) runsOnce() {
	w.t.Helper()
	until(w.t, patience, func() error {
		c := w.census()
		if len(c.existing) != 1 || len(c.instances["api-1-1"]) != 1 || len(c.supervisors) != w.on.supervisors || len(c.sandboxes) != 1 {
			return fmt.Errorf("supervisors %v, instances %v, running %v: want one instance", c.supervisors, c.existing, c.instances)
		}
		return nil
	})
}

// ranTwice holds when two deployments run, each instance once; revision is that of
// both, 0 when it is not known.
func (w *world) ranTwice(revision int) {
	w.t.Helper()
	until(w.t, patience, func() error {
		c := w.census()
		running := map[string]int{}
		for name, processes := range c.instances {
			running[componentOf(name)] += len(processes)
			if revision > 0 && !strings.HasSuffix(name, fmt.Sprintf("-%d-1", revision)) {
				return fmt.Errorf("instance %s is of another revision than %d", name, revision)
			}
		}
		if len(c.supervisors) != 2*w.on.supervisors || len(c.sandboxes) != 2 || len(c.existing) != 4 || !maps.Equal(running, map[string]int{"api": 2, "db": 2}) {
			return fmt.Errorf("supervisors %v, instances %v, running %v: want each once for each of two deployments", c.supervisors, c.existing, running)
		}
		return nil
	})
}

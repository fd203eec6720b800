package e2e

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

// many deployments of one small product.
const crowd = ground + `
resource "slipway_version" "tiny" {
  product_id = slipway_product.shop.id
  name       = "1.0.0"
  type       = "incremental"
  components = {
    api = {
      image         = "${var.registry}/app:1.0.0"
      ports         = { http = { container_port = 8080, host_port = 0 } }
      health_checks = { up = { http = { port = 8080, path = "/healthz" } } }
    }
  }
  depends_on = [slipway_registry.main]
}

resource "slipway_deployment" "many" {
  count          = 30
  environment_id = slipway_environment.staging.id
  version        = slipway_version.tiny.ref
  prefix         = "shop-${count.index}"
  strategy       = { min_healthy_time = "0s", progress_deadline = "1m" }
}

output "urls" { value = [for d in slipway_deployment.many : d.endpoints["api/http"].url] }
output "health" { value = distinct(slipway_deployment.many[*].health) }
`

// TestThirtyAtOnce applies 30 deployments in parallel.
func TestThirtyAtOnce(t *testing.T) {
	w := newWorld(t, crowd)
	began := time.Now()
	w.apply("-parallelism=30")
	t.Logf("30 deployments after %s", time.Since(began))
	c := w.census()
	if len(c.supervisors) != 30 || len(c.instances["api-1-1"]) != 30 || len(c.existing) != 30 {
		t.Errorf("%d supervisors, %d processes, %d directories of instances, want 30 of each", len(c.supervisors), len(c.instances["api-1-1"]), len(c.existing))
	}
	var urls, health []string
	w.output("urls", &urls)
	w.output("health", &health)
	if fmt.Sprint(health) != "[healthy]" {
		t.Errorf("health: %v", health)
	}
	for _, url := range urls {
		answers(t, url, "1.0.0")
	}
	w.nothingToDo()
	began = time.Now()
	w.destroy("-parallelism=30")
	t.Logf("destroyed after %s", time.Since(began))
	w.expectNothingLeft()
}

// neighbour is another configuration on the same node: it finds team, node and
// version of the first in the engine.
const neighbour = head + `
data "slipway_team" "acme" { id = "acme" }
data "slipway_node" "here" { id = "acme/here" }

variable "release" { default = "1.0.0" }

resource "slipway_product" "blog" {
  team_id = data.slipway_team.acme.id
  name    = "blog"
}

resource "slipway_environment" "blog" {
  team_id = data.slipway_team.acme.id
  node_id = data.slipway_node.here.id
  name    = "blog"
  type    = "staging"
}

resource "slipway_version" "blog" {
  product_id = slipway_product.blog.id
  name       = var.release
  type       = "incremental"
  components = {
    web = {
      image         = "${var.registry}/app:${var.release}"
      ports         = { http = { container_port = 8080, host_port = 0 } }
      health_checks = { up = { http = { port = 8080, path = "/healthz" } } }
    }
  }
}

resource "slipway_deployment" "blog" {
  environment_id = slipway_environment.blog.id
  version        = slipway_version.blog.ref
  prefix         = "${var.prefix}-blog"
  strategy       = { min_healthy_time = "200ms", progress_deadline = "20s" }
}

output "url" { value = slipway_deployment.blog.endpoints["web/http"].url }
`

// TestTwoAtOnce runs two terraforms with different configurations on one data_dir.
func TestTwoAtOnce(t *testing.T) {
	everywhere(t, twoAtOnce)
}

func twoAtOnce(t *testing.T, on nodeKind) {
	first := on.newWorld(t, shop)
	first.apply()
	second := on.newWorld(t, neighbour)
	second.share(first)
	for _, release := range []string{"1.0.0", "1.1.0", "1.0.0"} {
		first.set("release", release)
		second.set("release", release)
		for n, r := range together(first, second) {
			if r.code != 0 {
				t.Fatalf("terraform %d ended with %d:\n%s", n, r.code, r.said)
			}
		}
		for _, w := range []*world{first, second} {
			w.nothingToDo()
			answers(t, w.text("url"), release)
		}
		if n := len(first.census().instances); n != 3 {
			t.Errorf("%d instances run, want api, db and web", n)
		}
	}
	second.destroy()
	first.expectSettled(both)
}

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

// share uses another world's engine.
func (w *world) share(other *world) {
	w.data = other.data
	w.env["SLIPWAY_DATA_DIR"] = other.data
}

// together applies all at the same time.
func together(all ...*world) (ended []result) {
	var running []*running
	for _, w := range all {
		running = append(running, w.start(applyArgs...))
	}
	for _, r := range running {
		ended = append(ended, r.wait())
	}
	return ended
}

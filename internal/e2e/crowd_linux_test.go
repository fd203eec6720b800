package e2e

import (
	"fmt"
	"testing"
	"time"
)

// tiny is a version of one component without data.
const tiny = ground + `
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
`

// crowd is many deployments of it.
const crowd = tiny + `
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

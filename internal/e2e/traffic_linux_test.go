package e2e

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/internal/load"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testimage"
)

// envLoad makes the test of traffic long, and its load heavy, when it is "all".
const envLoad = "SLIPWAY_TEST_LOAD"

// operation is what happens to the shop while it is asked.
type operation struct {
	what     string
	release  string
	replicas string
	path     string // of the route of another deployment on the node
	fails    string // what terraform says then, "" = it succeeds
}

var operations = []operation{
	{"upgrade", "1.1.0", "1", "/a", ""},
	{"upgrade to what crashes", "crash", "1", "/a", "cannot go on"},
	{"three instances instead of one", "1.1.0", "3", "/a", ""},
	{"rollback of three instances", "1.0.0", "3", "/a", ""},
	{"another deployment's route changes", "1.0.0", "3", "/b", ""},
	// What follows is done when all is asked for.
	{"upgrade of three to what is never healthy", "sick", "3", "/b", "503"},
	{"one instance instead of three", "1.0.0", "1", "/b", ""},
	{"upgrade to what listens elsewhere", "deaf", "1", "/b", "refused"},
	{"upgrade with two instances more", "1.1.0", "3", "/b", ""},
	{"another deployment's route changes back, with a rollback", "1.0.0", "3", "/a", ""},
	{"upgrade of three", "1.2.0", "3", "/a", ""},
	{"rollback of three by two releases", "1.0.0", "3", "/a", ""},
	{"upgrade of three to what crashes", "crash", "3", "/a", "cannot go on"},
	{"two instances and another release", "1.1.0", "2", "/a", ""},
	{"upgrade of two", "1.2.0", "2", "/a", ""},
	{"upgrade of two to what listens elsewhere", "deaf", "2", "/a", "refused"},
	{"one instance instead of two", "1.2.0", "1", "/a", ""},
	{"rollback", "1.1.0", "1", "/a", ""},
	{"upgrade to what is never healthy", "sick", "1", "/a", "503"},
	{"rollback to the first release", "1.0.0", "1", "/a", ""},
}

// TestTraffic asks the shop all the time while it is upgraded, rolled back, scaled
// and while bad releases of it fail: not one request may be lost.
func TestTraffic(t *testing.T) {
	doing, mix := operations[:5], load.Default.At(60)
	if os.Getenv(envLoad) == "all" {
		doing, mix = operations, load.Default
	}
	everywhere(t, func(t *testing.T, on nodeKind) {
		w := on.newWorld(t, busy)
		at := w.openIngress()
		w.apply()
		w.busyThroughout(at, mix, doing)
	})
}

// busyThroughout does all that while somebody asks.
func (w *world) busyThroughout(at load.Target, mix load.Mix, doing []operation) {
	t := w.t
	t.Helper()
	asked := load.Start(at, mix)
	defer asked.Stop()
	w.serves(asked, "1.0.0")
	for _, o := range doing {
		asked.Mark(o.what)
		w.operate(o)
		if o.fails == "" {
			w.serves(asked, o.release)
		}
		if r := asked.Report(); r.Failed > 0 {
			t.Fatalf("%s: requests were lost\n%s", o.what, r)
		}
	}
	asked.Mark("nothing")
	w.nothingToDo()
	r := asked.Stop()
	t.Logf("%s, %d operations: %s", w.on.name, len(doing), r)
	if r.Failed > 0 || r.Drained == 0 {
		t.Errorf("%d requests were lost; %d websockets were drained, want some", r.Failed, r.Drained)
	}
	for version := range r.ByVersion {
		if version != "1.0.0" && version != "1.1.0" && version != "1.2.0" {
			t.Errorf("%q answered visitors", version)
		}
	}
}

// operate makes what the operation wants, or fails to.
func (w *world) operate(o operation) {
	w.t.Helper()
	w.set("release", o.release)
	w.set("replicas", o.replicas)
	w.set("path", o.path)
	w.set("deadline", "1m")
	if o.fails == "" {
		w.apply()
		return
	}
	w.set("deadline", "4s")
	w.applyFails(o.fails)
}

// serves holds when the release answers visitors from now on.
func (w *world) serves(asked *load.Run, release string) {
	w.t.Helper()
	before := asked.Report().ByVersion[release]
	until(w.t, patience, func() error {
		if r := asked.Report(); r.ByVersion[release] < before+10 {
			return fmt.Errorf("%s is not what answers\n%s", release, r)
		}
		return nil
	})
}

// openIngress lets the node have an ingress, and answers where the shop is then.
func (w *world) openIngress() load.Target {
	w.t.Helper()
	pushCaddy(w.t)
	address := testdocker.FreePort(w.t)
	_, port, _ := strings.Cut(address, ":")
	_, secure, _ := strings.Cut(testdocker.FreePort(w.t), ":")
	w.set("ingress", fmt.Sprintf(`{ "http_port": %s, "https_port": %s, "image": "%s/caddy:test" }`, port, secure, registry.URL()))
	return load.Target{URL: "http://shop.test", Address: address}
}

var caddyPushed sync.Once

// pushCaddy offers the proxy at the registry: it is large, and few tests want it.
func pushCaddy(t testing.TB) {
	t.Helper()
	caddyPushed.Do(func() {
		image, err := testimage.BuildCaddy(testimage.Options{})
		if err == nil {
			_, err = registry.Store("caddy:test", image)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}

// busy is a shop behind the node's ingress, with a neighbour.
const busy = ground + `
variable "release" { default = "1.0.0" }
variable "replicas" { default = 1 }
variable "path" { default = "/a" }
variable "deadline" { default = "1m" }

resource "slipway_version" "shop" {
  product_id = slipway_product.shop.id
  name       = var.release
  type       = can(regex("^[0-9]", var.release)) ? "incremental" : "rolling"
  components = {
    api = {
      image         = "${var.registry}/app:${var.release}"
      health_checks = { up = { http = { port = 8080, path = "/healthz" } } }
      routes        = { web = { host = "shop.test", port = 8080 } }
    }
  }
  depends_on = [slipway_registry.main]
}

resource "slipway_deployment" "shop" {
  environment_id = slipway_environment.staging.id
  version        = slipway_version.shop.ref
  prefix         = var.prefix
  components     = { api = { replicas = var.replicas } }
  strategy       = { min_healthy_time = "500ms", progress_deadline = var.deadline, drain_timeout = "4s" }
}

resource "slipway_version" "neighbour" {
  product_id = slipway_product.shop.id
  name       = "neighbour"
  type       = "rolling"
  components = {
    api = {
      image         = "${var.registry}/app:1.0.0"
      health_checks = { up = { http = { port = 8080, path = "/healthz" } } }
      routes        = { web = { host = "neighbour.test", path_prefix = var.path, port = 8080 } }
    }
  }
  depends_on = [slipway_registry.main]
}

resource "slipway_deployment" "neighbour" {
  environment_id = slipway_environment.staging.id
  version        = slipway_version.neighbour.ref
  prefix         = "${var.prefix}-neighbour"
  strategy       = { min_healthy_time = "0s" }
}
`

package deployment_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
)

const operation = `/Operation:\s+[0-9A-Za-z-]+/`

// serving is what is said of version 1.0.0 when the one after it has failed.
func (w *world) serving() string {
	if w.SharedPorts {
		return "Serving: version 1.0.0 serves; it never stopped"
	}
	return "Serving: version 1.0.0 was started again and serves"
}

// badVersion is one that must not take the place of a good one.
type badVersion struct {
	name      string
	component string // the inside of the components map
	strategy  string
	want      *regexp.Regexp
}

// badVersions are all ways of being bad (W4), each with what has to be said of it.
func (w *world) badVersions() []badVersion {
	impatient := strategy("200ms", "5s")
	all := []badVersion{
		{"exits", api(w.app("bad", "EXIT_NOW", "7", "EXIT_LINES", "config is missing|giving up")), brisk,
			told("Update deployment: rollout failed", "Deployment: "+w.Deployment(), "Component: api", "Phase: start",
				"/Message:\\s+the\\s+process\\s+ended\\s+with\\s+exit\\s+code\\s+7\\s+(and\\s+was\\s+started\\s+again\\s+)?after\\s+"+soon+"/",
				"Exit code: 7", w.serving(), operation, "| config is missing", "| giving up", "the next plan offers the change again")},
		{"is never healthy", api(w.app("sick", "HEALTH", "fail")), impatient,
			told("rollout failed", "Deployment: "+w.Deployment(), "Component: api", "Phase: check", "Check: up",
				"Message: not healthy within 5s", "503", w.serving(), operation, "| app sick starts")},
		{"is healthy too late", api(w.app("slow", "HEALTHY_AFTER", "10m")), impatient,
			told("rollout failed", "Component: api", "Phase: check", "Check: up", "Message: not healthy within 5s", w.serving(), operation)},
		{"listens elsewhere", api(w.app("elsewhere", "LISTEN", ":9999")), impatient,
			told("rollout failed", "Component: api", "Phase: check", "Check: up", "Message: not healthy within 5s", "refused", w.serving(), operation)},
		{"is healthy and dies", api(w.app("dies", "DIE_HEALTHY", "2s", "EXIT_CODE", "5")), strategy("30s", "2m"),
			told("rollout failed", "Deployment: "+w.Deployment(), "Component: api", "Phase: stabilise",
				"Message: the process ended with exit code 5", "Exit code: 5", w.serving(), operation, "| app dies as told")},
	}
	if w.MemoryLimits {
		all = append(all, badVersion{"needs too much memory", api(w.app("fat", "OOM", "512Mi"), `resources = { memory = "48Mi" }`), brisk,
			told("rollout failed", "Deployment: "+w.Deployment(), "Component: api", "Phase: start",
				"ran out of memory", "Killed: out of memory: the component's memory limit was reached", w.serving(), operation)})
	}
	return all
}

// Every bad version fails with its story while the good one answers, and the next
// plan offers the change again; a mended one succeeds.
func TestAccBadVersions(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		web := w.site()
		steps := []resource.TestStep{{
			Config: w.config("1.0.0", api(w.app("1"))),
			Check:  resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "1")),
		}}
		for _, bad := range w.badVersions() {
			var during *visitor
			steps = append(steps,
				resource.TestStep{
					PreConfig: func() {
						t.Logf("a version that %s", bad.name)
						during = web.visit()
					},
					Config:      w.with(bad.strategy, "1.1.0", bad.component),
					ExpectError: bad.want,
				},
				w.offeredAgain("1.0.0", func() { during.saw("1") }, web.answers("/", "1")))
		}
		w.run(append(steps, resource.TestStep{
			Config:           w.config("1.1.0", api(w.app("2"))),
			ConfigPlanChecks: planned(plancheck.ExpectResourceAction(address, plancheck.ResourceActionUpdate)),
			Check:            resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/", "2"), w.serves("1.1.0")),
		})...)
	})
}

// What publishes no port is tried beside the version that serves, which never
// stops: whoever asks it through a front that stays loses nothing.
func TestAccBadVersionBehindAFront(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		image := w.app("1")
		behind := func(name, image string) string {
			return w.config(name, api(w.app("1"))+component("store", image))
		}
		web := w.site()
		front := &site{t: t} // its port stays where it is
		var during *visitor
		var before []string
		w.run(
			resource.TestStep{
				Config: behind("1.0.0", image),
				Check: resource.ComposeTestCheckFunc(web.learn("api/http"), web.answers("/dial?addr=store:8080", "connected"),
					w.remember(&before)),
			},
			resource.TestStep{
				PreConfig: func() {
					front.url = web.url + "/dial?addr=store:8080&"
					during = front.visit()
				},
				Config:           behind("1.1.0", w.app("bad", "EXIT_NOW", "7")),
				ConfigPlanChecks: planned(changes("api: keep", "store: replace 1 instance, start-first (image sha256:…")),
				ExpectError:      told("rollout failed", "Component: store", "Exit code: 7", "Serving: version 1.0.0 serves; it never stopped"),
			},
			w.offeredAgain("1.0.0", func() { during.saw("connected") }, w.kept(&before, "store"), w.kept(&before, "api")),
			resource.TestStep{
				Config: behind("1.1.0", w.app("2")),
				Check:  resource.ComposeTestCheckFunc(web.answers("/dial?addr=store:8080", "connected"), w.kept(&before, "api"), w.replaced(&before, "store")),
			},
		)
	})
}

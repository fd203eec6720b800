package e2e

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/internal/load"
)

// lost is what an operation may cost visitors.
type lost struct {
	failures *regexp.Regexp // their texts
	share    float64        // of the requests meanwhile, at most
}

// strategies come after the operations, with everything as these began.
var strategies = []operation{
	{what: "a canary that errs", release: "ill", replicas: "1", path: "/a", set: strategy(watched), fails: "answers were errors", loses: lost{erred, 0.2}},
	{what: "a whole new set beside the old", release: "1.1.0", replicas: "1", path: "/a", set: strategy(blueGreen)},
	{what: "return to the set that was kept", release: "1.0.0", replicas: "1", path: "/a"},
	// What follows is done when all is asked for.
	{what: "a canary that does well", release: "1.2.0", replicas: "1", path: "/a", set: strategy(canary)},
	{what: "a canary of three that does well, back", release: "1.1.0", replicas: "3", path: "/a"},
	{what: "a canary of three that errs", release: "ill", replicas: "3", path: "/a", set: strategy(watched), fails: "answers were errors", loses: lost{erred, 0.2}},
	{what: "a canary that crashes", release: "crash", replicas: "3", path: "/a", set: strategy(canary), fails: "cannot go on"},
	{what: "no canary any more", release: "1.1.0", replicas: "3", path: "/a", set: strategy("{}")},
	{what: "an upgrade of three, as ever", release: "1.2.0", replicas: "3", path: "/a"},
	{what: "a canary, back, while the strategy changes", release: "1.1.0", replicas: "3", path: "/a", set: strategy(canary)},
	{what: "a whole new set of three, while the strategy changes", release: "1.2.0", replicas: "3", path: "/a", set: strategy(blueGreen)},
	{what: "return to the set of three", release: "1.1.0", replicas: "3", path: "/a"},
	{what: "forth to the set of three", release: "1.2.0", replicas: "3", path: "/a"},
	{what: "a whole new set that is never healthy", release: "sick", replicas: "3", path: "/a", fails: "503", deadline: "4s"},
	{what: "a set of two", release: "1.0.0", replicas: "2", path: "/a"},
	{what: "a version that may change", release: "loose", replicas: "2", path: "/a", set: strategy("{}")},
	{what: "a timeout and headers", release: "loose", replicas: "2", path: "/a", set: settings(`{ timeout = "30s", request_headers = { X-One = "1" } }`)},
	{what: "other headers, and a limit", release: "loose", replicas: "2", path: "/a", set: settings(`{ max_body_size = "1Mi", response_headers = { Server = "" } }`)},
	{what: "visitors who stay", release: "loose", replicas: "2", path: "/a", set: settings("{ sticky = {} }")},
	{what: "an instance more for visitors who stay", release: "loose", replicas: "3", path: "/a"},
	{what: "an instance less for visitors who stay", release: "loose", replicas: "2", path: "/a"},
	{what: "visitors who stay, and move to another release", release: "1.0.0", replicas: "3", path: "/a"},
	{what: "one of three is killed", release: "1.0.0", hand: killOne, loses: lost{cut, 0.2}},
	{what: "stop first", release: "1.2.0", replicas: "3", path: "/a", set: strategy(`{ type = "recreate" }`), loses: lost{nobody, 1}},
	{what: "as ever, after that", release: "1.1.0", replicas: "1", path: "/a", set: strategy("{}")},
}

const (
	blueGreen = `{ type = "blue_green", keep_old_for = "10m" }`
	canary    = `{ type = "canary", canary = { steps = [{ weight = 20, pause = "2s" }, { weight = 50, pause = "2s" }], min_requests = 5 } }`
	watched   = `{ type = "canary", canary = { steps = [{ weight = 20, pause = "5m" }], min_requests = 5 } }` // a verdict ends it, no time
)

var (
	erred  = regexp.MustCompile("failed as told|bad status") // the application itself answered so; or, on a websocket's handshake
	nobody = regexp.MustCompile("^503 |bad status")          // the ingress has nobody to send to
	cut    = regexp.MustCompile("^502 |cut off|bad status")  // who answered is gone
)

func strategy(s string) map[string]string { return map[string]string{"strategy": s} }
func settings(s string) map[string]string { return map[string]string{"settings": s} }

// killOne ends a process of the shop behind everybody's back. What it had under
// way is lost with it, and nothing that comes after.
func killOne(w *world, asked *load.Run) {
	w.t.Helper()
	pid := w.pidOf("api")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		w.t.Fatal(err)
	}
	until(w.t, patience, func() error {
		if state, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); len(state) > 0 && !strings.Contains(string(state), ") Z ") {
			return errors.New("it is still there")
		}
		return nil
	})
	asked.Expect(cut, time.Now())
}

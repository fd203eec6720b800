package deployment_test

import (
	"os"
	"testing"
)

const (
	oldServes = "Serving: version 1.0.0 serves; it never stopped"
	operation = `/Operation:\s+[0-9A-Za-z-]+/`
)

func TestAccVersionThatExits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	badVersion{
		component: api(w.app("bad", "EXIT_NOW", "7", "EXIT_LINES", "config is missing|giving up")),
		want: told("Update deployment: rollout failed", "Deployment: acme/staging/shop", "Component: api", "Phase: start",
			"/Message:\\s+the\\s+process\\s+ended\\s+with\\s+exit\\s+code\\s+7\\s+(and\\s+was\\s+started\\s+again\\s+)?after\\s+"+soon+"/",
			"Exit code: 7", oldServes, operation, "| config is missing", "| giving up", "the next plan offers the change again"),
	}.prove(t, w)
}

func TestAccVersionThatIsNeverHealthy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	badVersion{
		component: api(w.app("bad", "HEALTH", "fail")),
		strategy:  strategy("200ms", "3s"),
		want: told("rollout failed", "Deployment: acme/staging/shop", "Component: api", "Phase: check", "Check: up",
			"Message: not healthy within 3s", "503", oldServes, operation, "| app bad starts"),
	}.prove(t, w)
}

func TestAccVersionThatDiesSoon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	badVersion{
		component: api(w.app("bad", "DIE_AFTER", "3s", "EXIT_CODE", "5")),
		strategy:  strategy("30s", "1m"),
		want: told("rollout failed", "Deployment: acme/staging/shop", "Component: api", "Phase: stabilise",
			"Message: the process ended with exit code 5", "Exit code: 5", oldServes, operation, "| app dies as told"),
	}.prove(t, w)
}

func TestAccVersionThatNeedsTooMuchMemory(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("memory limits need control groups: run as root")
	}
	w := newWorld(t)
	badVersion{
		component: api(w.app("bad", "OOM", "512Mi"), `resources = { memory = "48Mi" }`),
		want: told("rollout failed", "Deployment: acme/staging/shop", "Component: api", "Phase: start",
			"ran out of memory", "Killed: out of memory: the component's memory limit was reached", oldServes, operation),
	}.prove(t, w)
}

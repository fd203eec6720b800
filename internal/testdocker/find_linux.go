package testdocker

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/moby/moby/client"
)

// Wanted is the environment variable that says whether tests use Docker Engines:
// 0 never, 1 always (what cannot run fails), else those that can run.
const Wanted = "SLIPWAY_TEST_DOCKER"

// Program is the environment variable that names the dockerd to test with, by
// default the one that is installed.
const Program = "SLIPWAY_TEST_DOCKERD"

// Settings is the environment variable with the daemon.json to test with, as
// {"features": {"containerd-snapshotter": false}}.
const Settings = "SLIPWAY_TEST_DOCKERD_CONFIG"

func program() string { return cmp.Or(os.Getenv(Program), "dockerd") }

// usersHost is where the user's own Engine is said to be.
var usersHost = os.Getenv(client.EnvOverrideHost)

// nowhere takes the place of the user's Engine in this process and in what it
// starts: a test that names no host finds none, rather than the user's.
const nowhere = "unix:///nonexistent/a-test-names-its-own-docker-engine.sock"

func init() {
	_ = os.Setenv(client.EnvOverrideHost, nowhere)
}

// Missing says why no private Engine can run here, "" when one can.
func Missing() string {
	if os.Getenv(Wanted) == "0" {
		return Wanted + "=0 turns off tests on Docker Engines"
	}
	if os.Geteuid() != 0 {
		return "a Docker Engine of a test's own needs root: run the tests as root"
	}
	for _, program := range []string{program(), "containerd", "iptables"} {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is not installed: .ci/setup does that as root on Debian"
		}
	}
	return ""
}

// refuse skips the test, or fails it where it was asked for.
func refuse(t testing.TB, why string) {
	t.Helper()
	if os.Getenv(Wanted) == "1" {
		t.Fatalf("%s, and %s=1 asks for it", why, Wanted)
	}
	t.Skip(why)
}

// cameUp says that this machine lets an Engine run: one that does not come up
// after that is a failure.
var cameUp atomic.Bool

// New starts a private Engine that ends with the test. What a test does to it
// harms nobody. The test is skipped where none can run.
func New(t testing.TB, o Options) *Daemon {
	t.Helper()
	if why := Missing(); why != "" {
		refuse(t, why)
	}
	d, err := Start(o)
	if err != nil {
		fail(t, err)
	}
	cameUp.Store(true)
	t.Cleanup(d.Close)
	return d
}

// fail skips the test where the machine does not let an Engine run.
func fail(t testing.TB, err error) {
	t.Helper()
	if cameUp.Load() {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	refuse(t, "dockerd is installed, but does not come up: "+lines[len(lines)-1]+
		" (start it by hand to see why; it needs root with all capabilities, cgroups and a kernel with bridges and overlay or vfs)")
}

// shared is the private Engine that tests of this process share.
var shared = sync.OnceValues(func() (*Daemon, error) { return Start(Options{}) })

// Shared gives an Engine to a test that does it no harm: which uses an engine id
// and deployments of its own, removes what it makes, and minds nothing that others
// make. It is one private Engine for the whole process, or the user's own where
// no private one can run; where there is neither, the test is skipped.
func Shared(t testing.TB) *Engine {
	t.Helper()
	why := Missing()
	if why == "" {
		d, err := shared()
		if err != nil {
			fail(t, err)
		}
		cameUp.Store(true)
		return &d.Engine
	}
	users := &Engine{Host: usersHost}
	if users.Host == "" {
		users.Host = client.DefaultDockerHost
	}
	if os.Getenv(Wanted) == "0" {
		refuse(t, why)
	}
	if not := users.unfit(); not != "" {
		refuse(t, why+"; the Engine at "+users.Host+" is not used instead: "+not)
	}
	return users
}

// unfit says why tests cannot use an Engine that they did not start: they need to
// reach containers and to share files with them.
func (e *Engine) unfit() string {
	if !strings.HasPrefix(e.Host, "unix://") {
		return "it is not on this machine"
	}
	if err := e.answers(); err != nil {
		return err.Error()
	}
	c, err := client.New(client.WithHost(e.Host))
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	info, err := c.Info(context.Background(), client.InfoOptions{})
	if err != nil {
		return err.Error()
	}
	if here, err := os.Hostname(); err != nil || here != info.Info.Name {
		return "it is not on this machine, but on " + info.Info.Name
	}
	if slices.ContainsFunc(info.Info.SecurityOptions, func(o string) bool { return strings.Contains(o, "rootless") }) {
		return "it is rootless, its containers do not reach a registry of this machine"
	}
	return ""
}

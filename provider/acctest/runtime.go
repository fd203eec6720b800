package acctest

import (
	"crypto/rand"
	"strings"
	"testing"
)

// Runtime is what the node of a scenario runs on. All that differs from one to
// another is here, as data, so that every scenario is told once.
type Runtime struct {
	Name    string // local or docker: the last part of the test's name
	DataDir string
	Kind    string // what slipway_node.here is, local = {} or another
	Node    string // declares slipway_node.here
	Product string // a name of its own: tests share a Docker Engine, where a prefix is one deployment's

	// SharedPorts says that a published port leads to any number of instances
	// and moves from one to another without a gap; else it is one instance's own.
	SharedPorts  bool
	MemoryLimits bool
	// Sights are the kinds of things that Stage.Left names while a deployment runs.
	Sights []string
	Stage
}

// Stage looks behind a deployment of the product, and changes what is there
// behind Terraform's back.
type Stage interface {
	// Instances are the names of those on the node, sorted; none is used twice.
	Instances(t testing.TB) []string
	// Left tells what there is on the machine of the deployment, but its volumes:
	// each its kind and name.
	Left(t testing.TB) []string
	// Volumes are those that the node keeps, component.volume.
	Volumes(t testing.TB) []string
	// Remove takes an instance away.
	Remove(t testing.TB, instance string)
	// Alter changes an instance, and answers what drift says of that.
	Alter(t testing.TB, instance string) string
}

// Everywhere runs a scenario on every runtime that this machine has, in parallel.
func Everywhere(t *testing.T, scenario func(t *testing.T, at *Runtime)) {
	t.Helper()
	t.Parallel()
	for name, open := range map[string]func(*testing.T, *Runtime){"local": openLocal, "docker": openDocker} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scenario(t, newRuntime(t, name, open))
		})
	}
}

// Local is the runtime of a test that is about something else than nodes.
func Local(t *testing.T) *Runtime {
	t.Helper()
	return newRuntime(t, "local", openLocal)
}

func newRuntime(t *testing.T, name string, open func(*testing.T, *Runtime)) *Runtime {
	t.Helper()
	at := &Runtime{Name: name, DataDir: DataDir(t), Product: "shop-" + strings.ToLower(rand.Text()[:6])}
	open(t, at)
	return at
}

// Deployment is the id of the product's deployment in staging.
func (at *Runtime) Deployment() string { return "acme/staging/" + at.Product }

// Version is the id of a version of the product.
func (at *Runtime) Version(name string) string { return "acme/" + at.Product + "/" + name }

// Replicas is how many instances of a component that publishes a port there may
// be, at most that many.
func (at *Runtime) Replicas(most int) int {
	if at.SharedPorts {
		return most
	}
	return 1
}

// is puts the runtime on a node of that kind.
func (at *Runtime) is(kind string) {
	at.Kind = kind
	at.Node = "\nresource \"slipway_node\" \"here\" {\n  team_id = slipway_team.acme.id\n  name    = \"here\"\n  " + kind + "\n}\n"
}

package docker_test

import (
	"crypto/rand"
	"os"
	"sync"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/docker"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/nodetest"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

var shared struct {
	once   sync.Once
	daemon *testdocker.Daemon
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.daemon != nil {
		shared.daemon.Close()
	}
	os.Exit(code)
}

// daemon is the Docker Engine of the tests that do it no harm.
func daemon(t *testing.T) *testdocker.Daemon {
	t.Helper()
	if why := testdocker.Missing(); why != "" {
		t.Skip(why)
	}
	shared.once.Do(func() { shared.daemon, shared.err = testdocker.Start(testdocker.Options{}) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.daemon
}

var engineID = "eng_" + rand.Text()

func open(t *testing.T, c docker.Config) *docker.Driver {
	t.Helper()
	if c.EngineID == "" {
		c.EngineID = engineID
	}
	if c.AllowedHostPaths == nil {
		c.AllowedHostPaths = []string{"/"}
	}
	d, err := docker.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func over(host string) docker.Config {
	return docker.Config{Connection: docker.Connection{Host: host}}
}

func TestContract(t *testing.T) {
	host := daemon(t).Host
	nodetest.Run(t, nodetest.NewImages(t), func(t *testing.T) node.Driver { return open(t, over(host)) })
	d := open(t, over(host))
	left, err := d.List(t.Context())
	if err != nil || len(left) > 0 {
		t.Errorf("left on the node: %v (%v)", left, err)
	}
}

package docker_test

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/docker"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/nodetest"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

// daemon is the Docker Engine of the tests that do it no harm.
func daemon(t *testing.T) *testdocker.Engine {
	t.Helper()
	return testdocker.Shared(t)
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
	t.Parallel()
	host := daemon(t).Host
	config := over(host)
	config.EngineID = "eng_" + rand.Text() // what is left in the end is the suite's
	t.Cleanup(func() {
		left, err := open(t, config).List(context.Background())
		if err != nil || len(left) > 0 {
			t.Errorf("left on the node: %v (%v)", left, err)
		}
	})
	nodetest.RunParallel(t, images(t), func(t *testing.T) node.Driver { return open(t, config) })
}

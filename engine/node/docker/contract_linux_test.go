package docker_test

import (
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
	host := daemon(t).Host
	nodetest.Run(t, nodetest.NewImages(t), func(t *testing.T) node.Driver { return open(t, over(host)) })
	d := open(t, over(host))
	left, err := d.List(t.Context())
	if err != nil || len(left) > 0 {
		t.Errorf("left on the node: %v (%v)", left, err)
	}
}

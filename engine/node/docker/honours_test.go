package docker_test

import (
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/docker"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/nodetest"
)

func TestHonours(t *testing.T) {
	d, err := docker.New(docker.Config{Connection: docker.Connection{Host: "tcp://nobody.invalid:2376"}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	nodetest.Honours(t, engine.NodeDocker, d)
}

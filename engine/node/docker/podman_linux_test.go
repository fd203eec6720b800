package docker_test

import (
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/nodetest"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

// Podman's socket speaks Docker's API: the same contract holds there.
func TestContractPodman(t *testing.T) {
	host := testdocker.Podman(t).Host
	nodetest.Run(t, nodetest.NewImages(t), func(t *testing.T) node.Driver { return open(t, over(host)) })
	if one, again := place(t, over(host)), place(t, over(host)); one != again {
		t.Errorf("it is in %q, and asked again in %q", one, again)
	}
	left, err := open(t, over(host)).List(t.Context())
	if err != nil || len(left) > 0 {
		t.Errorf("left on the node: %v (%v)", left, err)
	}
}

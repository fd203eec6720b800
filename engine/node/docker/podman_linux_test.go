package docker_test

import (
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/nodetest"
	"github.com/slipwayhq/terraform-provider-slipway/internal/testdocker"
)

// podmanLacks is what Podman 4.3 does not keep of the contract.
var podmanLacks = map[string]string{
	"Errors":      "a container whose start failed stays created and does not tell why",
	"Confinement": "an image whose /etc or /run is a link to nowhere does not start, and takes no files",
	"HostPaths":   "a host path that is missing is found at the start, not before",
	"Ulimits":     "it raises other limits too, which needs CAP_SYS_RESOURCE",
	"Names":       "an instance that leaves the route keeps its component's name",
}

// Podman's socket speaks Docker's API: the same contract holds there.
func TestContractPodman(t *testing.T) {
	host := testdocker.Podman(t).Host
	nodetest.RunExcept(t, nodetest.NewImages(t), func(t *testing.T) node.Driver { return open(t, over(host)) }, podmanLacks)
	if one, again := place(t, over(host)), place(t, over(host)); one != again {
		t.Errorf("it is in %q, and asked again in %q", one, again)
	}
	left, err := open(t, over(host)).List(t.Context())
	if err != nil || len(left) > 0 {
		t.Errorf("left on the node: %v (%v)", left, err)
	}
}

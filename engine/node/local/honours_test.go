//go:build linux

package local_test

import (
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/nodetest"
)

func TestHonours(t *testing.T) {
	nodetest.Honours(t, engine.NodeLocal, open(t, t.TempDir()))
}

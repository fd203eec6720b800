package local

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Admit implements node.Driver.
func (d *Driver) Admit(context.Context, string, string, []node.Door) ([]string, error) {
	return nil, engine.Unsupported("", "this runtime has no ingress yet", "publish the port instead")
}

package fake

import (
	"context"
	"fmt"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Admit implements node.Driver: a door's address names its instance.
func (d *driver) Admit(ctx context.Context, _, deployment string, doors []node.Door) ([]string, error) {
	if err := d.quiet(ctx, "admit", deployment); err != nil {
		return nil, err
	}
	addresses := make([]string, len(doors))
	for i, door := range doors {
		addresses[i] = fmt.Sprintf("%s:%d", door.Instance, door.Port)
	}
	return addresses, nil
}

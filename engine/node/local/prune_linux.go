package local

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// Prune implements node.Driver. Whatever an instance on this node was made
// from stays, whichever engine made it.
func (d *Driver) Prune(_ context.Context, keep []string) error {
	sandboxes, err := d.root.All()
	if err != nil {
		return err
	}
	var digests []string
	for _, pinned := range keep {
		digests = append(digests, image.Digest(pinned))
	}
	for _, s := range sandboxes {
		names, err := s.Names()
		if err != nil {
			return err
		}
		for _, name := range names {
			r, _, err := state.ReadRecord(s.Instance(name))
			if err != nil {
				return err // what it needs cannot be told, so nothing goes
			}
			digests = append(digests, image.Digest(r.Spec.Image))
		}
	}
	return d.images.Prune(digests)
}

//go:build !linux

package cache

import (
	"context"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/image"
)

// Cache exists on Linux only.
type Cache struct{}

func unsupported() error {
	return engine.Unsupported("", "images can be unpacked and run without Docker on Linux only", "use a docker node")
}

// Open answers ErrUnsupported.
func Open(string, ...Option) (*Cache, error) { return nil, unsupported() }

// Pull answers ErrUnsupported.
func (c *Cache) Pull(context.Context, string, string, image.Credential) error { return unsupported() }

// Has knows no image.
func (c *Cache) Has(string) bool { return false }

// Image answers ErrUnsupported.
func (c *Cache) Image(string) (Image, error) { return Image{}, unsupported() }

// Prune answers ErrUnsupported.
func (c *Cache) Prune([]string) error { return unsupported() }

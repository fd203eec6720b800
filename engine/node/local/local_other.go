//go:build !linux

package local

import (
	"context"
	"runtime"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// New answers ErrUnsupported: local nodes need Linux.
func New(Config) (node.Driver, error) { return nil, unsupported() }

// Supervise answers ErrUnsupported: local nodes need Linux.
func Supervise(context.Context, string) error { return unsupported() }

// LowestPort is any: nobody listens for local nodes here.
func LowestPort() int { return 1 }

// Main does nothing: nobody starts a supervisor here.
func Main() {}

func unsupported() error {
	return engine.Unsupported("local", "local nodes need Linux, this is "+runtime.GOOS, "use a docker node")
}

//go:build !linux

package main

import (
	"context"
	"io"
	"runtime"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// run answers ErrUnsupported: local nodes, and what is read from /proc, need Linux.
func run(context.Context, options, io.Writer) error {
	return engine.Unsupported("", "the benchmarks need Linux, this is "+runtime.GOOS, "run them on Linux")
}

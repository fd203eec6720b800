//go:build linux

package local_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local"
)

// nodeRoot is the root of the one node of all tests, so that images are pulled once.
var nodeRoot string

func TestMain(m *testing.M) {
	local.Main()
	var err error
	if nodeRoot, err = os.MkdirTemp("", "slipway-node-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(nodeRoot); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

//go:build linux

package local_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// TestHalfMadeInstances are what somebody leaves who is killed while making or
// removing an instance: no driver lists them, so the next one has to remove them.
func TestHalfMadeInstances(t *testing.T) {
	p := newPlace(t)
	whole := p.start("api-1-1", engine.Component{})
	half := p.sandbox().Instance("api-1-2").Dir
	leave := func() {
		p.Helper()
		p.ok(os.MkdirAll(filepath.Join(half, "u"), 0o755))
		p.ok(os.WriteFile(filepath.Join(half, "status.json"), []byte("{}"), 0o600))
	}
	gone := func() bool {
		_, err := os.Stat(half)
		return errors.Is(err, fs.ErrNotExist)
	}

	leave()
	p.start("api-1-3", engine.Component{})
	if !gone() {
		t.Error("it is there after another instance was made")
	}

	leave()
	p.killSupervisor()
	p.ok(p.Start(p.ctx, whole, node.Secrets{}))
	if !gone() {
		t.Error("it is there after another supervisor was started")
	}
	if p.state(whole) != node.Running {
		t.Error("the whole instance was touched")
	}
}

//go:build linux

package local_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// TestInterruptedFilling: whoever filled a volume from the image was killed, while
// copying or while moving the complete copy into the volume.
func TestInterruptedFilling(t *testing.T) {
	p := newPlace(t)
	volume := state.Root{Dir: p.root}.Volume(p.deployment, "api", "data")
	copied, complete := state.Filling(volume)
	c := engine.Component{Volumes: map[string]engine.Volume{"data": {Path: "/full"}}}
	read := func(key node.Key, path, want string) {
		p.Helper()
		r, err := p.Exec(p.ctx, key, []string{"/tool", "cat", path})
		if err != nil || (r.ExitCode == 0) != (want != "") || (want != "" && r.Output != want) {
			t.Errorf("%s: %+v, %v, want %q", path, r, err, want)
		}
	}
	leave := func(dir, name, text string) {
		p.Helper()
		p.ok(os.MkdirAll(dir, 0o755))
		p.ok(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}

	leave(copied, "half", "h")
	key := p.start("api-1-1", c)
	read(key, "/full/seed", "seed")
	read(key, "/full/half", "")
	p.ok(p.Remove(p.ctx, key))

	leave(complete, "late", "l")
	leave(complete, "seed", "again")
	key = p.start("api-2-1", c)
	read(key, "/full/late", "l")
	read(key, "/full/seed", "seed") // what is there already stays
	for _, path := range []string{copied, complete} {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s is left", path)
		}
	}

	leave(copied, "half", "h")
	volumes, err := p.Volumes(p.ctx, p.deployment)
	p.ok(err)
	if len(volumes) != 1 || volumes[0] != "api/data" {
		t.Errorf("the volumes are %q", volumes)
	}
}

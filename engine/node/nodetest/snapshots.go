package nodetest

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// bigFile is more than what any runtime copies at once.
const bigFile = "4194304"

// keeper is an instance of db with the volume data at /data.
func (h *harness) keeper() node.Key {
	h.Helper()
	c := idle()
	c.Volumes = map[string]engine.Volume{"data": {Path: "/data"}}
	return h.start("db-1-1", c)
}

// takesSnapshots reports whether the node does; one that does not refuses what asks for them.
func (h *harness) takesSnapshots() bool {
	h.Helper()
	info, err := h.Info(h.ctx)
	h.ok(err)
	if !info.Snapshots {
		c := idle()
		c.Volumes = map[string]engine.Volume{"data": {Path: "/data", Snapshot: catalog.SnapshotOnUpgrade}}
		h.is(h.Check(c, info), engine.ErrUnsupported)
	}
	return info.Snapshots
}

// furnish puts something of every kind into /data.
func (h *harness) furnish(key node.Key) {
	h.Helper()
	h.tool(key, "write", "/data/a", "one")
	h.tool(key, "mkdir", "/data/empty", "750")
	h.tool(key, "mkdir", "/data/deep/er", "700")
	h.tool(key, "write", "/data/deep/er/b", "two")
	h.tool(key, "symlink", "../nowhere", "/data/deep/away")
	h.tool(key, "link", "/data/deep/er/b", "/data/same")
	h.tool(key, "fill", "/data/big", bigFile)
	h.tool(key, "chmod", "/data/a", "4640")
	info, err := h.Info(h.ctx)
	h.ok(err)
	if info.Users {
		h.tool(key, "chown", "/data/empty", "1747") // 999
		h.tool(key, "chown", "/data", "1747")
	}
	h.tool(key, "chmod", "/data/empty", "2500")
	h.tool(key, "chmod", "/data", "700")
}

func (h *harness) spoil(key node.Key) {
	h.Helper()
	h.tool(key, "write", "/data/a", "another")
	h.tool(key, "write", "/data/extra", "new")
	h.tool(key, "remove", "/data/empty")
	h.tool(key, "remove", "/data/deep")
	h.tool(key, "write", "/data/deep", "no directory any more")
	h.tool(key, "remove", "/data/big")
	h.tool(key, "chmod", "/data", "755")
}

func (h *harness) snapshot(name string) node.Snapshot {
	return node.Snapshot{Deployment: h.deployment, Volume: "db/data", Name: name}
}

// take takes a snapshot while the instance is stopped.
func (h *harness) take(key node.Key, name string) int64 {
	h.Helper()
	h.ok(h.Stop(h.ctx, key))
	bytes, err := h.SnapshotVolume(h.ctx, h.snapshot(name), h.images.App)
	h.ok(err)
	h.ok(h.Start(h.ctx, key, node.Secrets{}))
	return bytes
}

func (h *harness) restore(key node.Key, name string) {
	h.Helper()
	h.ok(h.Stop(h.ctx, key))
	h.ok(h.RestoreVolume(h.ctx, h.snapshot(name), h.images.App))
	h.ok(h.Start(h.ctx, key, node.Secrets{}))
}

func (h *harness) wantSnapshots(names ...string) {
	h.Helper()
	all, err := h.Snapshots(h.ctx, h.deployment)
	h.ok(err)
	var want []node.Snapshot
	for _, name := range names {
		want = append(want, h.snapshot(name))
	}
	if !slices.Equal(all, want) {
		h.Fatalf("snapshots %v, want %v", all, want)
	}
}

func testSnapshots(h *harness) {
	if !h.takesSnapshots() {
		return
	}
	key := h.keeper()
	h.furnish(key)
	before := h.tool(key, "list", "/data")
	bytes := h.take(key, "first_1")
	if bytes != 4194304+len64("one")+len64("two") {
		h.Errorf("the snapshot has %d bytes of files", bytes)
	}
	h.want(h.tool(key, "list", "/data"), before) // taking one changes nothing
	h.spoil(key)
	spoilt := h.tool(key, "list", "/data")
	if again := h.take(key, "first_1"); again != bytes { // a snapshot stays what it is
		h.Errorf("taken again it has %d bytes, before %d", again, bytes)
	}
	h.take(key, "second-2")
	h.wantSnapshots("first_1", "second-2")
	for range 2 {
		h.restore(key, "first_1")
		h.want(h.tool(key, "list", "/data"), before)
		h.restore(key, "second-2")
		h.want(h.tool(key, "list", "/data"), spoilt)
	}

	h.is(h.RestoreVolume(h.ctx, h.snapshot("none"), h.images.App), engine.ErrNotFound)
	_, err := h.SnapshotVolume(h.ctx, node.Snapshot{Deployment: h.deployment, Volume: "db/none", Name: "x"}, h.images.App)
	h.is(err, engine.ErrNotFound)
	for range 2 {
		h.ok(h.PruneSnapshots(h.ctx, h.deployment, []node.Snapshot{h.snapshot("first_1"), h.snapshot("gone")}))
	}
	h.wantSnapshots("first_1")
	volumes, err := h.Volumes(h.ctx, h.deployment)
	h.ok(err)
	h.want(strings.Join(volumes, ","), "db/data")
	h.ok(h.RemoveDeployment(h.ctx, h.deployment, nil)) // the volume stays
	h.wantSnapshots()
	h.want(h.tool(h.keeper(), "list", "/data"), spoilt)
}

func len64(s string) int64 { return int64(len(s)) }

// Whenever taking or restoring is cut off, doing it again comes to the same.
func testSnapshotsCutOff(h *harness) {
	if !h.takesSnapshots() {
		return
	}
	key := h.keeper()
	h.furnish(key)
	before := h.tool(key, "list", "/data")
	h.ok(h.Stop(h.ctx, key))
	for _, patience := range []time.Duration{0, 2 * time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond} {
		cutOff := func(do func(context.Context) error) {
			ctx, cancel := context.WithTimeout(h.ctx, patience)
			defer cancel()
			if do(ctx) != nil {
				h.Logf("cut off after %s", patience)
			}
		}
		name := "after-" + strings.ReplaceAll(patience.String(), ".", "_")
		cutOff(func(ctx context.Context) error {
			_, err := h.SnapshotVolume(ctx, h.snapshot(name), h.images.App)
			if whole, listErr := h.Snapshots(h.ctx, h.deployment); listErr != nil || err == nil != slices.Contains(whole, h.snapshot(name)) {
				h.Errorf("after %v the snapshots are %v (%v)", err, whole, listErr)
			}
			return err
		})
		_, err := h.SnapshotVolume(h.ctx, h.snapshot(name), h.images.App)
		h.ok(err)
		cutOff(func(ctx context.Context) error { return h.RestoreVolume(ctx, h.snapshot(name), h.images.App) })
		h.restore(key, name)
		h.want(h.tool(key, "list", "/data"), before)
		h.ok(h.Stop(h.ctx, key))
		cutOff(func(ctx context.Context) error {
			_, err := h.SnapshotVolume(ctx, h.snapshot("half"), h.images.App)
			return err
		})
		h.ok(h.PruneSnapshots(h.ctx, h.deployment, nil))
		h.wantSnapshots()
	}
}

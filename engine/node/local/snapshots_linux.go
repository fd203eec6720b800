package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/tree"
)

// SnapshotVolume implements node.Driver. A copy gets its name once it is whole and
// on the disk.
func (d *Driver) SnapshotVolume(ctx context.Context, s node.Snapshot, _ node.Image) (bytes int64, err error) {
	volume, whole, err := d.snapshotPlaces(s)
	if err != nil {
		return 0, err
	}
	err = d.withLock(ctx, d.sandbox(s.Deployment), func() error {
		if _, err := os.Lstat(whole); err == nil {
			bytes, err = tree.Size(whole)
			return err
		}
		if _, err := os.Lstat(volume); errors.Is(err, fs.ErrNotExist) {
			return engine.NotFound("volume on this node", s.Deployment+" "+s.Volume)
		}
		part := filepath.Join(filepath.Dir(whole), unfinished+filepath.Base(whole))
		if err := errors.Join(os.MkdirAll(filepath.Dir(whole), 0o700), state.RemoveAll(part)); err != nil {
			return err
		}
		if bytes, err = tree.Copy(ctx, volume, part); err != nil {
			return full(err)
		}
		return moved(part, whole)
	})
	return bytes, err
}

// RestoreVolume implements node.Driver. The copy takes the volume's place in one
// step, so that whoever is killed leaves the old data or the new.
func (d *Driver) RestoreVolume(ctx context.Context, s node.Snapshot, _ node.Image) error {
	volume, whole, err := d.snapshotPlaces(s)
	if err != nil {
		return err
	}
	return d.withLock(ctx, d.sandbox(s.Deployment), func() error {
		if _, err := os.Lstat(whole); errors.Is(err, fs.ErrNotExist) {
			return engine.NotFound("snapshot on this node", s.Deployment+" "+s.Volume+" "+s.Name)
		}
		restored := filepath.Join(filepath.Dir(volume), ".restored."+filepath.Base(volume))
		copied, complete := state.Filling(volume)
		for _, left := range []string{restored, copied, complete} { // what fills the volume would be added to it
			if err := state.RemoveAll(left); err != nil {
				return err
			}
		}
		if _, err := tree.Copy(ctx, whole, restored); err != nil {
			return full(err)
		}
		if err := os.MkdirAll(volume, 0o755); err != nil {
			return err
		}
		if err := unix.Renameat2(unix.AT_FDCWD, restored, unix.AT_FDCWD, volume, unix.RENAME_EXCHANGE); err != nil {
			return fmt.Errorf("putting the restored volume in its place: %w", err)
		}
		return errors.Join(tree.Sync(filepath.Dir(volume)), state.RemoveAll(restored))
	})
}

// Snapshots implements node.Driver.
func (d *Driver) Snapshots(_ context.Context, deployment string) ([]node.Snapshot, error) {
	var all []node.Snapshot
	err := d.eachSnapshot(deployment, func(_ string, s node.Snapshot, whole bool) error {
		if whole {
			all = append(all, s)
		}
		return nil
	})
	slices.SortFunc(all, func(a, b node.Snapshot) int {
		return cmp.Or(cmp.Compare(a.Volume, b.Volume), cmp.Compare(a.Name, b.Name))
	})
	return all, err
}

// PruneSnapshots implements node.Driver.
func (d *Driver) PruneSnapshots(ctx context.Context, deployment string, keep []node.Snapshot) error {
	return d.withLock(ctx, d.sandbox(deployment), func() error {
		err := d.eachSnapshot(deployment, func(path string, s node.Snapshot, whole bool) error {
			if whole && slices.Contains(keep, s) {
				return nil
			}
			return state.RemoveAll(path)
		})
		_ = os.Remove(d.root.Snapshots(deployment)) // unless some are kept there
		return err
	})
}

// unfinished is before the name of a snapshot that is being made. No component has
// such a name.
const unfinished = ".unfinished."

// eachSnapshot tells everything among a deployment's snapshots.
func (d *Driver) eachSnapshot(deployment string, tell func(path string, s node.Snapshot, whole bool) error) error {
	dir := d.root.Snapshots(deployment)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		volume, name, ok := strings.Cut(e.Name(), "@")
		component, short, named := strings.Cut(volume, ".")
		s := node.Snapshot{Deployment: deployment, Volume: component + "/" + short, Name: name}
		if err := tell(filepath.Join(dir, e.Name()), s, ok && named && component != ""); err != nil {
			return err
		}
	}
	return err
}

// snapshotPlaces are the directories of the volume and of the snapshot.
func (d *Driver) snapshotPlaces(s node.Snapshot) (volume, snapshot string, err error) {
	component, short, ok := strings.Cut(s.Volume, "/")
	if !ok || component == "" || strings.ContainsAny(short+s.Name, "/@.") {
		return "", "", engine.Invalid("volume", "%q of %q is no snapshot of component/volume", s.Name, s.Volume)
	}
	return d.root.Volume(s.Deployment, component, short), filepath.Join(d.root.Snapshots(s.Deployment), component+"."+short+"@"+s.Name), nil
}

// moved gives something that is whole its name, to stay.
func moved(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return tree.Sync(filepath.Dir(to))
}

// full says what to do when the node's disk is.
func full(err error) error {
	if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EDQUOT) {
		return err
	}
	return &engine.Error{Class: engine.ErrUnavailable, Reason: "the node's disk has no room for a copy of the volume", Err: err,
		Hint: "make room there, or keep fewer snapshots with keep_snapshots"}
}

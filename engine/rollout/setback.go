package rollout

import (
	"context"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// LeftSuffix is behind the name of a snapshot in the name of the one of what a
// failed rollout left in the volume, before that was set back.
const LeftSuffix = "-left"

// Back records that volumes were set back, and the snapshots of what they had held
// until then: their bytes by volume.
type Back func(ctx context.Context, bytes map[string]int64) error

// setBack makes volumes hold what snapshots do, and keeps what they held. Nothing
// that has them may run. It can be killed and run again.
func (r *Runner) setBack(ctx context.Context, snapshots []node.Snapshot, images map[string]node.Image, back Back) error {
	bytes := make([]int64, len(snapshots))
	group, gctx := errgroup.WithContext(ctx)
	for n, s := range snapshots {
		component, volume, _ := strings.Cut(s.Volume, "/")
		group.Go(func() error {
			left := s
			left.Name += LeftSuffix
			err := r.journal(gctx, Step{Name: "snapshot", Component: component, Detail: volume + " as it was left"}, func() (err error) {
				bytes[n], err = r.Driver.SnapshotVolume(gctx, left, images[component])
				return err
			})
			if err != nil {
				return err
			}
			return r.journal(gctx, Step{Name: "restore", Component: component, Detail: volume + " as it was before"},
				func() error { return r.Driver.RestoreVolume(gctx, s, images[component]) })
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	left := map[string]int64{}
	for n, s := range snapshots {
		left[s.Volume] = bytes[n]
	}
	return back(ctx, left)
}

// setBackData undoes what this rollout and its instances did to the volumes; they,
// and what was started again, go first. It answers the instances that may be started
// again: where it fails, none that has the volumes, and the next run tries once more.
func (r *run) setBackData(ctx context.Context) (asleep []made, err error) {
	if !r.exposed || !r.in.Data.SetBack || r.setBackDone {
		return r.stopped, nil
	}
	owners := r.owners()
	var theirs, others []made
	for _, m := range r.stopped {
		if owners[m.component] {
			theirs = append(theirs, m)
		} else {
			others = append(others, m)
		}
	}
	err = together(r.created, func(m made) error {
		if err := r.putAway(ctx, m.component, m.key); err != nil {
			return err
		}
		return r.ended(ctx, m.key)
	})
	if err == nil {
		err = together(theirs, func(m made) error { return r.Driver.Stop(ctx, m.key) })
	}
	if err == nil {
		err = r.setBack(ctx, r.taken, r.in.Prior.Images, r.in.Data.Back)
	}
	if err != nil {
		return others, err
	}
	r.setBackDone = true
	return r.stopped, nil
}

// settleData sets back the volumes that are due, once nothing that has them runs,
// nor anything that never proved itself. It answers the instances as they are then.
func (r *Runner) settleData(ctx context.Context, in SettleInput) ([]node.Instance, error) {
	if len(in.Due) == 0 {
		return in.Observed, nil
	}
	owners := map[string]bool{}
	for _, s := range in.Due {
		component, _, _ := strings.Cut(s.Volume, "/")
		owners[component] = true
	}
	var left []node.Instance
	for _, i := range in.Observed {
		if in.Unproven(i) && !damaged(i) {
			if err := r.putAway(ctx, i.Labels.Component, i.Key); err != nil {
				return nil, err
			}
			continue
		}
		if owners[i.Labels.Component] {
			err := r.journal(ctx, Step{Name: "stop", Component: i.Labels.Component, Detail: i.Key.Name},
				func() error { return r.Driver.Stop(ctx, i.Key) })
			if err != nil {
				return nil, err
			}
			if i.State != node.Created {
				i.State = node.Exited
			}
		}
		left = append(left, i)
	}
	return left, r.setBack(ctx, in.Due, in.Serving.Images, in.Back)
}

package rollout

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/plan"
)

// Data is what a rollout does to volumes before anything new starts.
type Data struct {
	Volumes []plan.Data
	Name    string // of the snapshots that are taken

	// SetBack says that a failure sets the volumes back to these snapshots.
	SetBack bool

	// Taken records the snapshots, by volume with the bytes of their files, and
	// that the volumes are due to be set back to them, where they are: until the
	// commit, or until Back.
	Taken func(ctx context.Context, bytes map[string]int64) error
	Back  Back
}

// checkSnapshots refuses to begin when what is to be restored is not on the node.
func (r *run) checkSnapshots(ctx context.Context) error {
	if !slices.ContainsFunc(r.in.Data.Volumes, func(d plan.Data) bool { return d.Restore != nil }) {
		return nil
	}
	present, err := r.Driver.Snapshots(ctx, r.in.Deployment)
	if err != nil {
		return &phaseError{phase: engine.PhasePreflight, err: err}
	}
	for _, d := range r.in.Data.Volumes {
		if d.Restore != nil && !slices.Contains(present, r.snapshot(d, d.Restore.Name)) {
			e := engine.Conflict("the snapshot "+d.Restore.Name+" of volume "+d.Full()+" is gone from the node",
				"set restore_data = false to go back with the data as it is")
			e.Field = "restore_data"
			return &phaseError{phase: engine.PhasePreflight, component: d.Component, err: e}
		}
	}
	return nil
}

func (r *run) snapshot(d plan.Data, name string) node.Snapshot {
	return node.Snapshot{Deployment: r.in.Deployment, Volume: d.Full(), Name: name}
}

// prepareData takes the snapshots and restores what is to be restored, while
// nothing runs that could write; what goes on after that is started again.
func (r *run) prepareData(ctx context.Context) error {
	if len(r.in.Data.Volumes) == 0 {
		return nil
	}
	if err := r.quiesce(ctx); err != nil {
		return err
	}
	paused, err := r.quiet(ctx)
	if err != nil {
		return err
	}
	bytes, err := r.takeSnapshots(ctx)
	if err != nil {
		return err
	}
	r.exposed = true // first: when recording it fails, nobody knows whether it was
	if err := r.in.Data.Taken(ctx, bytes); err != nil {
		return &phaseError{phase: engine.PhaseData, err: err}
	}
	if err := r.restoreSnapshots(ctx); err != nil {
		return err
	}
	return r.resume(ctx, paused)
}

// quiet stops what has one of the volumes, and where data is restored also what
// works on it and goes. It answers what is to go on afterwards.
func (r *run) quiet(ctx context.Context) ([]made, error) {
	owners := r.owners()
	group, gctx := errgroup.WithContext(ctx)
	paused := make([][]made, len(r.in.Plan.Steps))
	for n, step := range r.in.Plan.Steps {
		if !owners[step.Component] && !step.Restoring {
			continue
		}
		group.Go(func() (err error) {
			paused[n], err = r.quietOne(gctx, step, owners[step.Component])
			return err
		})
	}
	err := group.Wait()
	return slices.Concat(paused...), err
}

func (r *run) owners() map[string]bool {
	owners := map[string]bool{}
	for _, d := range r.in.Data.Volumes {
		owners[d.Component] = true
	}
	return owners
}

func (r *run) quietOne(ctx context.Context, step plan.Step, owner bool) (paused []made, err error) {
	makesRoom := step.Create > 0 && !step.StartFirst
	switch {
	case makesRoom:
		err = r.stopOld(ctx, step)
	case step.Restoring:
		err = r.stop(ctx, step.Component, step.Retire)
	case owner:
		paused = r.awake(step.Component, step.Retire)
	}
	if owner {
		paused = append(paused, r.awake(step.Component, step.Keep)...)
	}
	for _, m := range paused {
		if err == nil {
			err = r.stop(ctx, m.component, []string{m.key.Name})
		}
	}
	return paused, err
}

// awake are those instances that ran when the rollout began.
func (r *run) awake(component string, names []string) []made {
	var all []made
	for _, i := range r.in.Observed {
		if slices.Contains(names, i.Key.Name) && (i.State == node.Running || i.State == node.Restarting) {
			all = append(all, made{key: i.Key, component: component})
		}
	}
	return all
}

// takeSnapshots copies every volume that is there, all at once.
func (r *run) takeSnapshots(ctx context.Context) (bytes map[string]int64, err error) {
	present, err := r.Driver.Volumes(ctx, r.in.Deployment)
	if err != nil {
		return nil, &phaseError{phase: engine.PhaseData, err: err}
	}
	bytes = map[string]int64{}
	return bytes, r.eachVolume(ctx, func(ctx context.Context, d plan.Data) error {
		if !slices.Contains(present, d.Full()) {
			return nil
		}
		return r.step(ctx, Step{Name: "snapshot", Component: d.Component, Detail: d.Volume}, engine.PhaseData, func() error {
			s := r.snapshot(d, r.in.Data.Name)
			n, err := r.Driver.SnapshotVolume(ctx, s, r.in.Prior.Images[d.Component])
			r.mu.Lock()
			defer r.mu.Unlock()
			bytes[d.Full()], r.taken = n, append(r.taken, s)
			return err
		})
	})
}

func (r *run) restoreSnapshots(ctx context.Context) error {
	return r.eachVolume(ctx, func(ctx context.Context, d plan.Data) error {
		if d.Restore == nil {
			return nil
		}
		return r.step(ctx, Step{Name: "restore", Component: d.Component, Detail: d.Volume}, engine.PhaseData,
			func() error {
				return r.Driver.RestoreVolume(ctx, r.snapshot(d, d.Restore.Name), r.in.Prior.Images[d.Component])
			})
	})
}

func (r *run) eachVolume(ctx context.Context, do func(context.Context, plan.Data) error) error {
	group, gctx := errgroup.WithContext(ctx)
	for _, d := range r.in.Data.Volumes {
		group.Go(func() error { return do(gctx, d) })
	}
	return group.Wait()
}

// resume starts what was stopped only for the data, and waits until it answers.
func (r *run) resume(ctx context.Context, paused []made) error {
	group, gctx := errgroup.WithContext(ctx)
	for _, m := range paused {
		group.Go(func() error {
			return r.step(gctx, Step{Name: "start", Component: m.component, Detail: m.key.Name}, engine.PhaseStart,
				func() error { return r.bringBack(gctx, m.key, m.component, *r.in.Prior, r.in.Strategy) })
		})
	}
	return group.Wait()
}

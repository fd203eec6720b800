package plan

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// Data is one volume that a rollout takes a snapshot of before anything new
// starts.
type Data struct {
	Component, Volume string
	Restore           *engine.Snapshot // what it shall hold then, nil = what it holds
	Version           string           // whose data Restore is, for sentences
}

// Full is the volume's name in its deployment, component/volume.
func (d Data) Full() string { return d.Component + "/" + d.Volume }

// Move is the way of a deployment from one version to another.
type Move struct {
	Prior       map[string]catalog.Effective // of the serving revision, nil when there is none
	Desired     map[string]catalog.Effective
	From, To    string // refs
	Back        bool   // to an older version of the chain
	RestoreData bool   // going back takes the data along
	Revisions   []engine.Revision
	Snapshots   []engine.Snapshot
}

// DataOf tells what becomes of the volumes that declare a snapshot, in the old
// configuration or in the new: an upgrade takes one of each; a way back leaves
// them alone, or sets each to the newest snapshot of the data of the version it
// leads to. One that is missing is an engine.ErrConflict. Within a version, and
// where nothing new starts, nothing happens to data.
func DataOf(m Move) ([]Data, error) {
	if m.Prior == nil || m.From == m.To || m.Back && !m.RestoreData || !m.Back && !m.startsAnything() {
		return nil, nil
	}
	var all []Data
	var missing []error
	for _, d := range declared(m.Prior, m.Desired) {
		if !m.Back {
			all = append(all, d)
			continue
		}
		if _, stays := m.Desired[d.Component].Component.Volumes[d.Volume]; !stays {
			continue // the older version has no such data
		}
		if d.Restore, d.Version = m.newest(d.Full()); d.Restore == nil {
			missing = append(missing, noSnapshot(d, m.To))
			continue
		}
		all = append(all, d)
	}
	return all, errors.Join(missing...)
}

// startsAnything reports whether anything runs after the move that did not before.
func (m Move) startsAnything() bool {
	for name, want := range m.Desired {
		if was, served := m.Prior[name]; !served || was.ConfigHash != want.ConfigHash {
			return true
		}
	}
	return false
}

// declared lists the volumes that exist and of which either configuration wants
// snapshots, ordered by name.
func declared(prior, desired map[string]catalog.Effective) []Data {
	var all []Data
	for _, component := range slices.Sorted(maps.Keys(prior)) {
		volumes := prior[component].Component.Volumes
		for _, name := range slices.Sorted(maps.Keys(volumes)) {
			if volumes[name].Snapshot != "" || desired[component].Component.Volumes[name].Snapshot != "" {
				all = append(all, Data{Component: component, Volume: name})
			}
		}
	}
	return all
}

// newest finds the last snapshot of the volume as revisions of the wanted version
// left it. Those that failed left nothing to go back to.
func (m Move) newest(volume string) (found *engine.Snapshot, version string) {
	for _, r := range m.Revisions {
		if r.VersionRef != m.To || r.Status == engine.RevisionFailed {
			continue
		}
		for _, s := range m.Snapshots {
			if s.Volume == volume && s.Revision == r.Number && (found == nil || s.Attempt > found.Attempt) {
				found, version = &s, r.VersionName
			}
		}
	}
	return found, version
}

func noSnapshot(d Data, ref string) error {
	id, _, _ := strings.Cut(ref, "@")
	e := engine.Conflict(fmt.Sprintf("there is no snapshot of volume %s as version %s left it", d.Full(), engine.BaseName(id)),
		"set restore_data = false to go back with the data as it is; snapshots are taken by upgrades to other versions while the volume says snapshot = \"on_upgrade\", and keep_snapshots says how many are kept")
	e.Field = "restore_data"
	return e
}

// restoring says, by component, why instances of it must not run while data is
// restored: it is theirs, or that of something they depend on.
func restoring(data []Data, configurations ...map[string]catalog.Effective) map[string]string {
	why, whose := map[string]string{}, map[string]string{}
	for _, d := range data {
		if d.Restore != nil {
			why[d.Component], whose[d.Component] = "its data is restored", d.Component
		}
	}
	for grown := len(why) > 0; grown; {
		grown = false
		for _, components := range configurations {
			for _, name := range slices.Sorted(maps.Keys(components)) {
				needs := components[name].Component.DependsOn
				on := slices.IndexFunc(needs, func(d string) bool { return whose[d] != "" })
				if on >= 0 && whose[name] == "" {
					whose[name], grown = whose[needs[on]], true
					why[name] = "the data of " + whose[name] + " is restored"
				}
			}
		}
	}
	return why
}

// dataChanges tells what happens to data, a line for each volume:
//
//	db: snapshot volume data before the upgrade, stopped meanwhile: a gap is expected
//	db: snapshot volume data before the upgrade, after its pre_snapshot command, stopped meanwhile: a gap is expected
//	db: restore volume data as version 1.0.0 left it at 2026-01-02T15:04:05Z, and keep a snapshot of what it holds now
func dataChanges(prior, desired map[string]catalog.Effective, traits Traits) []string {
	var lines []string
	for _, d := range traits.Data {
		line := fmt.Sprintf("%s: snapshot volume %s before the upgrade", d.Component, d.Volume)
		if d.Restore != nil {
			line = fmt.Sprintf("%s: restore volume %s as version %s left it at %s, and keep a snapshot of what it holds now",
				d.Component, d.Volume, d.Version, d.Restore.TakenAt.UTC().Format(time.RFC3339))
		} else if desired[d.Component].Component.Volumes[d.Volume].PreSnapshot != nil {
			line += ", after its pre_snapshot command"
		}
		if pauses(d, prior, desired, traits) {
			line += ", stopped meanwhile: a gap is expected"
		}
		lines = append(lines, line)
	}
	return lines
}

// pauses reports whether the component's instances, which go on otherwise, stop
// for their data.
func pauses(d Data, prior, desired map[string]catalog.Effective, traits Traits) bool {
	was, want := prior[d.Component], desired[d.Component]
	if was.Replicas == 0 {
		return false
	}
	return was.ConfigHash == want.ConfigHash || want.Image == "" || obstacle(was, want, traits) == "" && d.Restore == nil
}

// dataGaps tells of the gaps that only copying data makes.
func dataGaps(prior, desired map[string]catalog.Effective, traits Traits) []string {
	var all []string
	for _, d := range traits.Data {
		if pauses(d, prior, desired, traits) {
			all = append(all, fmt.Sprintf("%s: it stops while volume %s is copied: a gap is expected.", d.Component, d.Volume))
		}
	}
	return all
}

// KeptSnapshots are those of a deployment that pruning leaves: for every volume the
// newest n that some way back could lead to, taken by upgrades that succeeded, and
// the newest n of the others, which only people could want. Those that a volume is
// still to be set back to are always kept.
func KeptSnapshots(all []engine.Snapshot, due func(engine.Snapshot) bool, revisions []engine.Revision, n int) []engine.Snapshot {
	succeeded := map[int]bool{}
	for _, r := range revisions {
		switch r.Status {
		case engine.RevisionSuccessful, engine.RevisionObsolete, engine.RevisionDowngraded:
			succeeded[r.Number] = true
		}
	}
	type quota struct {
		volume string
		useful bool
	}
	newestFirst := slices.SortedFunc(slices.Values(all), func(a, b engine.Snapshot) int {
		return cmp.Or(cmp.Compare(b.Attempt, a.Attempt), cmp.Compare(b.Revision, a.Revision), cmp.Compare(b.Name, a.Name))
	})
	used := map[quota]int{}
	var kept []engine.Snapshot
	for _, s := range newestFirst {
		q := quota{s.Volume, succeeded[s.Revision] && succeeded[s.Attempt]}
		used[q]++
		if used[q] <= max(n, 1) || due(s) {
			kept = append(kept, s)
		}
	}
	return kept
}

package engine

import "time"

// Snapshot is a copy of what a named volume of a deployment held.
type Snapshot struct {
	Volume   string // component/volume
	Name     string // unique in the deployment for ever
	Revision int    // whose data it is
	Attempt  int    // the revision that was about to come when it was taken; Revision itself for what a failed one left
	Bytes    int64  // of the files
	TakenAt  time.Time
}

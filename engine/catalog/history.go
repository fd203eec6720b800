package catalog

import (
	"slices"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// History is how much of the past is kept.
type History struct {
	Revisions     int           // newest ones of a deployment
	Versions      int           // last ones that succeeded in a deployment, with their newest revision
	Operations    int           // newest ones of a deployment
	OperationsFor time.Duration // older ones go, also of deployments that are gone
	RetiredFor    time.Duration // versions that are out of Terraform for longer go, when no revision refers to them
}

// KeptHistory is enough for every rollback that anybody would ask for.
var KeptHistory = History{Revisions: 50, Versions: 10, Operations: 200, OperationsFor: 90 * 24 * time.Hour, RetiredFor: 90 * 24 * time.Hour}

// Past is a revision of a deployment, as far as it matters for pruning.
type Past struct {
	Number     int
	Status     engine.RevisionStatus
	VersionRef string
	Retired    bool // its version is out of Terraform
}

// Expendable picks the revisions that no rollback could need. all are those of
// one deployment, newest first. Kept are the newest; what serves, is under way
// or about to be; and the newest success of each of the last versions, and of
// every version that Terraform still has.
func (h History) Expendable(all []Past) []int {
	var expendable []int
	succeeded := map[string]bool{}
	for i, r := range all {
		needed := i < h.Revisions
		switch r.Status {
		case engine.RevisionPreparing, engine.RevisionInProgress:
			needed = true
		case engine.RevisionSuccessful, engine.RevisionObsolete, engine.RevisionDowngraded:
			again := succeeded[r.VersionRef]
			succeeded[r.VersionRef] = true
			needed = needed || r.Status == engine.RevisionSuccessful || !again && (len(succeeded) <= h.Versions || !r.Retired)
		}
		if !needed {
			expendable = append(expendable, r.Number)
		}
	}
	slices.Sort(expendable)
	return expendable
}

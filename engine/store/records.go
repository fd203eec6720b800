package store

import (
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// VersionRecord is a version as the store keeps it.
type VersionRecord struct {
	engine.Version

	// Retired versions are out of the caller's hands and kept because they are
	// sealed, have a child, or a revision refers to them.
	Retired     bool
	Confirmed   bool
	ParentGiven bool // its parent was asked for, and did not just happen to be the newest
	CreatedAt   time.Time
}

// NewVersion is a version that is to be stored, at its place.
type NewVersion struct {
	engine.Version

	ParentGiven bool
	Before      string // the version that becomes its child, "" at the end of the chain
}

// DeploymentRecord is a deployment as the store keeps it. Of Observed the
// store fills NodeID, ServingVersion, Status, Revision, PreviousVersion,
// Changes, OperationID and SecretNames; the rest is the node's to tell.
type DeploymentRecord struct {
	engine.Deployment

	NodeID    string
	ProductID string

	// PromotesFromID is the environment that the deployment's own promotes from.
	PromotesFromID string

	Serving   int  // number of the revision that serves, 0 before the first success
	Held      bool // the deployment holds its prefix on its node
	Confirmed bool
	CreatedAt time.Time
}

// Revision is an attempt as the store keeps it.
type Revision struct {
	engine.Revision

	VersionID string   // team/product/name
	Version   string   // the Version value as the user gave it
	Changes   []string // what it changed, one line a component
	Config    []byte   // what a rollback restores; the store does not look inside
}

// Snapshot is a copy of a volume as the store keeps it.
type Snapshot struct {
	engine.Snapshot

	Due bool // the volume is to be set back to it before anything that has it runs again
}

// IngressPart is what a deployment has in its node's ingress.
type IngressPart struct {
	DeploymentID string
	Part         []byte // JSON; the store does not look inside
}

// IngressClaim is a place on a node's ingress with its owner.
type IngressClaim struct {
	catalog.Claim

	DeploymentID string
}

// LeaseOwner is the process, and within it the run, that holds a lease.
type LeaseOwner struct {
	ID   string // unique to the run; two runs of one process exclude each other
	PID  int
	Host string
	// Space is the pid namespace the PID counts in and Boot the boot of the
	// host, "" where the system does not tell.
	Space string
	Boot  string
	// Start is when the process started, in the system's own units, so that
	// a reused PID is not taken for the owner; "" where the system does not tell.
	Start string
}

// Lease is a claim on a key that ends by itself.
type Lease struct {
	Key      string
	Owner    LeaseOwner
	Acquired time.Time
	Expires  time.Time
}

// Pin remembers for a short while what a reference was resolved to, so that
// an apply gets the image that its plan promised.
type Pin struct {
	Run       string // the run of plan and apply that it is valid in
	VersionID string
	Component string
	Reference string // as the user wrote it
	Digest    string // sha256:…
}

// Secret is a value sealed by package secret.
type Secret struct {
	Cipher []byte
	Hash   string // keyed hash of the value: tells equal from different, no more
}

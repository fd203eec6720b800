package engine

import (
	"strings"
	"time"
)

// Deployment is one product living in one environment under one prefix.
type Deployment struct {
	ID                 string // acme/production/shop
	EnvironmentID      string
	Prefix             string
	Version            string // a ref, or team/product/name: what is wanted
	DesiredState       string // running, stopped
	Variables          Variables
	Components         map[string]ComponentOverride
	Strategy           Strategy
	RestoreData        bool // what goes back, by wish or because it failed, takes the data of its volumes' snapshots along
	KeepSnapshots      int  // of each volume; 0 = DefaultKeepSnapshots
	RestartTrigger     string
	DeletionProtection bool
	SecretsVersion     *int64 // the caller's own count, see Registry.PasswordVersion

	Observed DeploymentStatus // computed
}

// DefaultKeepSnapshots is how many snapshots of a volume are kept.
const DefaultKeepSnapshots = 3

// Desired states of a deployment.
const (
	StateRunning = "running"
	StateStopped = "stopped"
)

// DeploymentStatus is what really is, read from the store and from the node.
type DeploymentStatus struct {
	NodeID          string
	ServingVersion  string // the Version value of the newest successful revision, "" before the first
	Status          RevisionStatus
	Health          string                     // healthy, degraded, unhealthy, unknown
	Revision        int                        // number of the newest revision
	PreviousVersion string                     // ref that served before the serving one, ""
	Instances       map[string]InstanceSummary // by component
	Endpoints       map[string]Endpoint        // by component/port
	Drift           []string
	Changes         []string          // what the newest successful revision changed
	OperationID     string            // of the newest revision
	NodeMessage     string            // why the node could not be asked, ""
	URLs            map[string]string // of its routes, by component/route
	SecretNames     []string          // of the deployment's own secrets, sorted
	Promotion       string            // in_sync or out_of_sync with the environment it promotes from, "" without one
}

// How a deployment stands to the one that its environment promotes from.
const (
	PromotionInSync    = "in_sync"     // serves the same content
	PromotionOutOfSync = "out_of_sync" // serves another, or nothing serves there
)

// Healths of a deployment.
const (
	HealthHealthy   = "healthy"
	HealthDegraded  = "degraded"  // some component has fewer ready instances than wanted
	HealthUnhealthy = "unhealthy" // some component has none ready
	HealthUnknown   = "unknown"
)

// InstanceSummary counts a component's instances.
type InstanceSummary struct {
	Image    string // reference@digest
	Replicas int    // wanted
	Ready    int
	Restarts int // since the instances were created
}

// Endpoint is a published port.
type Endpoint struct {
	Address string
	Port    int
	URL     string // http://address:port for tcp, udp://address:port for udp
}

// RevisionStatus is one of the six of dyrector.io.
type RevisionStatus string

// Statuses of a revision (design 4.2).
const (
	RevisionPreparing  RevisionStatus = "preparing"
	RevisionInProgress RevisionStatus = "in_progress"
	RevisionSuccessful RevisionStatus = "successful"
	RevisionFailed     RevisionStatus = "failed"
	RevisionObsolete   RevisionStatus = "obsolete"
	RevisionDowngraded RevisionStatus = "downgraded"
)

// Revision is one attempt to bring a deployment to a version.
type Revision struct {
	DeploymentID string
	Number       int
	VersionRef   string // team/product/name@sha256:…
	VersionName  string
	Status       RevisionStatus
	Cause        string // create, update, repair, rollback, restore
	Reason       string // why it failed, ""
	StartedAt    time.Time
	FinishedAt   time.Time // zero while in progress
	Images       map[string]string
	OperationID  string
	Snapshots    []Snapshot // of its data, oldest first
}

// DeploymentFilter selects deployments; an empty field selects all.
type DeploymentFilter struct {
	TeamID, EnvironmentID, ProductID, Version, Status string
}

// VersionPlan is what CreateVersion or UpdateVersion would store.
type VersionPlan struct {
	Digest, Ref, ParentID string
	Number                int
	Images                map[string]string
}

// DeploymentPlan says what CreateDeployment or UpdateDeployment would do.
type DeploymentPlan struct {
	NodeID  string
	Prefix  string   // the default filled in
	Changes []string // one line a component; pure in store and configuration
	Gaps    []string // gaps to expect and how to avoid them
	// Downgrade tells what goes away by going back to an older version, "" when it does not.
	Downgrade string
	URLs      map[string]string // of the routes, by component/route; "" = known only when the node is asked
	// Idle tells what of the strategy has no effect on the version, "" when all has.
	Idle    string
	Known   bool // false when something is not known yet; then Changes is nil
	Pending bool // what shall run differs from what the serving revision runs
}

// KeepSuffix ends the line of Changes about a component that is not touched.
const KeepSuffix = ": keep"

// Changed reports whether any component would be touched, or cannot be told yet.
func (p DeploymentPlan) Changed() bool {
	for _, line := range p.Changes {
		if !strings.HasSuffix(line, KeepSuffix) {
			return true
		}
	}
	return !p.Known
}

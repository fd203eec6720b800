package engine

import "time"

// Operation is one recorded run of the engine on a deployment.
type Operation struct {
	ID           string // op_…, later ones sort after earlier ones
	DeploymentID string
	Kind         string // create, update, delete, restore
	Status       OperationStatus
	Owner        string // who runs it, for people
	StartedAt    time.Time
	FinishedAt   time.Time       // zero while running
	Error        string          // why it failed, ""
	Code         string          // ErrorCode of that; interrupted when its process ended first
	Steps        []OperationStep // in the order of their first start
}

// OperationStatus says how an operation stands.
type OperationStatus string

// The statuses of an operation.
const (
	OperationRunning     OperationStatus = "running"
	OperationSucceeded   OperationStatus = "succeeded"
	OperationFailed      OperationStatus = "failed"
	OperationInterrupted OperationStatus = "interrupted" // its process ended before it did
)

// OperationStep is one journaled step of an operation.
type OperationStep struct {
	Seq        int    // from 1, in the order of first start
	Name       string // pull, create api-2-1, start api-2-1, …
	Component  string // "" when it concerns the whole deployment
	Status     StepStatus
	Attempt    int // from 1
	StartedAt  time.Time
	FinishedAt time.Time // zero while started
	Detail     string
}

// StepStatus says how a step stands.
type StepStatus string

// The statuses of a step.
const (
	StepStarted StepStatus = "started"
	StepDone    StepStatus = "done"
	StepFailed  StepStatus = "failed"
)

// OperationFilter selects operations; an empty field selects all.
type OperationFilter struct {
	DeploymentID string
	Status       OperationStatus
	Limit        int // newest ones, 0 = all
}

// VersionFilter selects the versions of a product.
type VersionFilter struct {
	ProductID  string
	Constraint string // on the semantic version, such as ">= 1.2, < 2"; it selects incremental versions only
	Status     string
}

// Difference is one attribute that two versions have differently.
type Difference struct {
	Component string
	Attribute string  // path such as env.LEVEL or health_checks.up.http.path, "" when only one version has the component
	From, To  *string // values, lists as JSON; nil where there is none
}

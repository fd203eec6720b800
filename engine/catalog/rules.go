package catalog

import "github.com/slipwayhq/terraform-provider-slipway/engine"

// Verb is what somebody wants to do with a version or with a deployment of it.
type Verb string

// The verbs, in the order of the table.
const (
	Edit     Verb = "edit"      // change what the version runs
	Deploy   Verb = "deploy"    // bring the deployment to it, also once more
	RollBack Verb = "roll back" // bring the deployment back to it, as it ran there
	Copy     Verb = "copy"      // make another deployment of it
	AddChild Verb = "add child" // make the version that comes after it
	Remove   Verb = "remove"    // take the version out of Terraform
	Destroy  Verb = "destroy"   // destroy the deployment
	Simplify Verb = "simplify"  // make its product a simple one
)

// Verbs are all of them.
var Verbs = []Verb{Edit, Deploy, RollBack, Copy, AddChild, Remove, Destroy, Simplify}

// RevisionNone is the status of a version that was never deployed.
const RevisionNone engine.RevisionStatus = ""

// RevisionStatuses are all statuses of a revision, with none of them first.
var RevisionStatuses = []engine.RevisionStatus{
	RevisionNone, engine.RevisionPreparing, engine.RevisionInProgress, engine.RevisionSuccessful,
	engine.RevisionFailed, engine.RevisionObsolete, engine.RevisionDowngraded,
}

// Fact is a condition beside product, type and status.
type Fact string

// The facts.
const (
	HasChild     Fact = "it has a child"
	IsDeprecated Fact = "its status is `deprecated`"
	IsProtected  Fact = "it has `deletion_protection`"
)

// Rule decides some cases: those of its verb that match everything it names.
type Rule struct {
	Verb     Verb // "" is every verb
	Product  string
	Type     string                  // of the version
	Statuses []engine.RevisionStatus // none is every status
	Given    Fact
	Allowed  bool
	Reason   string // why not, or what happens: the rest of a sentence about the version
	Hint     string // what to do instead; {next} is the name of a next version
	Field    string // attribute that asked for it
}

var (
	served   = []engine.RevisionStatus{engine.RevisionSuccessful, engine.RevisionObsolete, engine.RevisionDowngraded}
	unproven = []engine.RevisionStatus{RevisionNone, engine.RevisionPreparing, engine.RevisionInProgress, engine.RevisionFailed}
	underWay = []engine.RevisionStatus{engine.RevisionInProgress}
	serving  = []engine.RevisionStatus{engine.RevisionSuccessful}
)

const (
	oneVersion     = "belongs to a simple product, which has exactly one version: the rolling one written in the product itself"
	oneVersionHint = "Change the components of the slipway_product, or set its type to \"complex\""
	waitHint       = "Wait until it has finished; one whose process was killed counts as failed"
)

// Rules say what is allowed: the first that matches decides, and what none
// names is allowed. Plans, the engine and the guide for users all use this table.
var Rules = []Rule{
	{Verb: Simplify, Product: engine.ProductSimple, Allowed: true, Reason: "is simple already"},
	{
		Verb: Simplify, Reason: "cannot become simple: it may have many versions",
		Hint: "Keep type = \"complex\", or make a new product", Field: "type",
	},
	{Product: engine.ProductSimple, Type: engine.VersionIncremental, Reason: oneVersion, Hint: oneVersionHint, Field: "product_id"},
	{Verb: AddChild, Product: engine.ProductSimple, Reason: oneVersion, Hint: oneVersionHint, Field: "product_id"},

	{
		Verb: AddChild, Type: engine.VersionRolling, Reason: "is rolling: it stands outside the chain and has no child",
		Hint: "Leave parent_id out", Field: "parent_id",
	},
	{
		Verb: AddChild, Given: HasChild, Reason: "already has its child, and versions form one chain",
		Hint: "Leave parent_id out: the newest version is the default", Field: "parent_id",
	},

	{Verb: Edit, Statuses: underWay, Reason: "is being rolled out: what it runs cannot change meanwhile", Hint: waitHint, Field: "components"},
	{
		Verb: Edit, Type: engine.VersionIncremental, Statuses: served, Reason: "was sealed by its first successful deployment",
		Hint: "Add a slipway_version named {next} with the new content", Field: "components",
	},

	{Verb: Deploy, Statuses: underWay, Allowed: true, Reason: "is being rolled out: another run waits until that has ended"},
	{Verb: Deploy, Statuses: serving, Allowed: true, Reason: "serves already: only what differs is touched, and nothing is planned when nothing does"},

	{
		Verb: RollBack, Type: engine.VersionRolling, Reason: "is rolling: it keeps no earlier content to go back to",
		Hint: "Revert its components in the configuration, which redeploys them", Field: "version",
	},
	{
		Verb: RollBack, Statuses: unproven, Reason: "has not succeeded in this deployment: there is nothing to go back to",
		Hint: "Deploy it", Field: "version",
	},
	{Verb: RollBack, Statuses: serving, Reason: "serves already: there is nothing to go back to", Hint: "Deploy it to repair what differs", Field: "version"},

	{
		Verb: Copy, Given: IsDeprecated, Reason: "is deprecated: it takes no new deployments",
		Hint: "Deploy another version, or set its status to \"active\"", Field: "version",
	},

	{Verb: Remove, Statuses: underWay, Reason: "is being rolled out: it cannot be removed meanwhile", Hint: waitHint},
	{Verb: Remove, Type: engine.VersionIncremental, Given: HasChild, Allowed: true, Reason: "is retired: it keeps its place in the chain"},
	{
		Verb: Remove, Statuses: []engine.RevisionStatus{engine.RevisionSuccessful, engine.RevisionObsolete, engine.RevisionDowngraded, engine.RevisionFailed},
		Allowed: true, Reason: "is retired: kept for rollbacks, and back with the same name and content",
	},

	{Verb: Destroy, Statuses: underWay, Reason: "is being rolled out: the deployment cannot be destroyed meanwhile", Hint: waitHint},
	{
		Verb: Destroy, Given: IsProtected, Reason: "is protected from deletion",
		Hint: "To destroy or replace it set deletion_protection = false, apply, and then destroy", Field: "deletion_protection",
	},
}

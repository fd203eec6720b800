package engine

import "context"

// Service is the engine as the provider sees it. The embedded engine
// (engine/core) and the HTTP client of a running server implement it; one
// contract suite runs against both.
//
// Every id is the object's human key. Create makes an object, or adopts the one
// that an interrupted run left behind (see Confirm); an object of that key that
// belongs to somebody is ErrExists. Update and Delete of an absent object are
// ErrNotFound. All methods are safe for concurrent use.
type Service interface {
	// EngineID identifies the store: a caller that remembers another one must
	// not conclude that anything was deleted.
	EngineID() string
	Close() error

	// BeginRun tells that a Terraform run begins: what is remembered of nodes is
	// forgotten. run names the run; while it lasts a tag is resolved only once,
	// so that apply stores the digest that plan showed.
	BeginRun(run string)

	// Confirm tells the engine that the caller has the object in its records:
	// from now on another Create of that key is ErrExists, not an adoption.
	Confirm(ctx context.Context, kind Kind, id string) error

	// PlanDelete answers why deleting the object would be refused, as far as can
	// be told before: it is protected, or a rollout of it is in progress. An
	// absent object is nil.
	PlanDelete(ctx context.Context, kind Kind, id string) error

	Teams
	Nodes
	Registries
	Products
	Versions
	Environments
	Deployments
}

// Kind names a kind of object.
type Kind string

// The kinds of objects.
const (
	KindTeam        Kind = "team"
	KindNode        Kind = "node"
	KindRegistry    Kind = "registry"
	KindProduct     Kind = "product"
	KindVersion     Kind = "version"
	KindEnvironment Kind = "environment"
	KindDeployment  Kind = "deployment"
)

// Teams keeps teams.
type Teams interface {
	CreateTeam(ctx context.Context, t Team) (Team, error)
	Team(ctx context.Context, id string) (Team, error)
	UpdateTeam(ctx context.Context, t Team) (Team, error)
	DeleteTeam(ctx context.Context, id string) error // ErrConflict while it owns anything
}

// Nodes keeps nodes.
type Nodes interface {
	// PlanNode answers why CreateNode or UpdateNode would refuse, as far as can
	// be told without asking the node. Keys are as with UpdateNode.
	PlanNode(ctx context.Context, n Node) error
	CreateNode(ctx context.Context, n Node) (Node, error)
	Node(ctx context.Context, id string) (Node, error)
	// NodeStatus asks the node itself; an unreachable one is an answer, not an error.
	NodeStatus(ctx context.Context, id string) (NodeStatus, error)
	UpdateNode(ctx context.Context, n Node) (Node, error)
	DeleteNode(ctx context.Context, id string) error
}

// Registries keeps registries.
type Registries interface {
	// PlanRegistry answers why CreateRegistry or UpdateRegistry would refuse.
	PlanRegistry(ctx context.Context, r PlannedRegistry) error
	// CreateRegistry tries the credentials: ErrDenied when they are refused,
	// ErrUnavailable when the registry does not answer.
	CreateRegistry(ctx context.Context, r Registry, password string) (Registry, error)
	Registry(ctx context.Context, id string) (Registry, error)
	// UpdateRegistry keeps the stored password when password is nil.
	UpdateRegistry(ctx context.Context, r Registry, password *string) (Registry, error)
	DeleteRegistry(ctx context.Context, id string) error
	// ResolveImage asks the registry what the reference is, with the
	// credentials of the team ("" = none).
	ResolveImage(ctx context.Context, reference, teamID string) (Image, error)
}

// Products keeps products.
type Products interface {
	// PlanProduct answers what CreateProduct or UpdateProduct would store for a
	// simple product's components, or why they would refuse.
	PlanProduct(ctx context.Context, p Product, in Planned) (VersionPlan, error)
	CreateProduct(ctx context.Context, p Product) (Product, error)
	Product(ctx context.Context, id string) (Product, error)
	UpdateProduct(ctx context.Context, p Product) (Product, error)
	DeleteProduct(ctx context.Context, id string) error
}

// Versions keeps versions.
type Versions interface {
	// PlanVersion answers what CreateVersion or UpdateVersion would store, or
	// why they would refuse: every rule of the catalog, every image asked for at
	// its registry. The product may not exist yet. A number that depends on the
	// order in which this run creates versions is 0.
	PlanVersion(ctx context.Context, v Version, in Planned) (VersionPlan, error)
	CreateVersion(ctx context.Context, v Version) (Version, error)
	Version(ctx context.Context, id string) (Version, error)
	UpdateVersion(ctx context.Context, v Version) (Version, error)
	DeleteVersion(ctx context.Context, id string) error
	// Versions lists a product's versions that match, but not retired ones:
	// incremental ones from the highest down, then rolling ones by name.
	Versions(ctx context.Context, f VersionFilter) ([]Version, error)
	// VersionDiff tells what changes from one version to another of any
	// product: refs or ids, also of retired ones.
	VersionDiff(ctx context.Context, from, to string) ([]Difference, error)
}

// Environments keeps environments.
type Environments interface {
	// PlanEnvironment answers why CreateEnvironment or UpdateEnvironment would
	// refuse, as far as can be told without what this run stores before it.
	PlanEnvironment(ctx context.Context, e Environment, in Planned) error
	CreateEnvironment(ctx context.Context, e Environment, secrets map[string]string) (Environment, error)
	Environment(ctx context.Context, id string) (Environment, error)
	// UpdateEnvironment keeps the stored secrets when secrets is nil, else replaces them all.
	UpdateEnvironment(ctx context.Context, e Environment, secrets map[string]string) (Environment, error)
	DeleteEnvironment(ctx context.Context, id string) error
}

// Deployments keeps deployments and makes them run.
type Deployments interface {
	// PlanDeployment answers what creating (prior nil) or updating d would do,
	// or why it would be refused.
	PlanDeployment(ctx context.Context, d Deployment, in PlanInput) (DeploymentPlan, error)
	// CreateDeployment runs the first rollout. When it fails nothing stays on
	// the node, the deployment does not exist, and the error is a *RolloutError.
	CreateDeployment(ctx context.Context, d Deployment, secrets map[string]string) (Deployment, error)
	// Deployment reads the store and the node; an unreachable node is told in
	// Observed.NodeMessage.
	Deployment(ctx context.Context, id string) (Deployment, error)
	// UpdateDeployment runs a rollout. When it fails the last successful
	// revision serves, and the deployment returned beside the *RolloutError
	// says what is. secrets nil keeps the stored ones.
	UpdateDeployment(ctx context.Context, d Deployment, secrets map[string]string) (Deployment, error)
	// DeleteDeployment removes everything it made on the node but retained volumes.
	DeleteDeployment(ctx context.Context, id string) error
	Deployments(ctx context.Context, f DeploymentFilter) ([]Deployment, error)
	// Revisions lists a deployment's revisions, newest first.
	Revisions(ctx context.Context, deploymentID string) ([]Revision, error)
	// Operations lists what the engine did, with its steps, newest first. Also
	// of deployments that are gone.
	Operations(ctx context.Context, f OperationFilter) ([]Operation, error)
}

// PlanInput is what PlanDeployment knows beside the wanted deployment.
type PlanInput struct {
	Planned

	Prior          *Deployment // the deployment as state has it, nil when it is to be created
	SecretsChanged bool        // new secrets come with the deployment
	Drift          []string    // what the last refresh found; it will be repaired
}

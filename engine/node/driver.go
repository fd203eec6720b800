// Package node is the seam to where instances run.
//
// Driver is the small interface of runtimes in which the engine itself starts,
// proves and replaces instances: local processes and Docker containers. What a
// driver creates carries Labels, and those are the truth about what runs there.
package node

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// ErrUnreachable is the engine.ErrUnavailable of a node that gave no answer at
// all: it is away or hangs, and the same call may succeed once it is back.
var ErrUnreachable = fmt.Errorf("%w: the node does not answer", engine.ErrUnavailable)

// ErrInternal is the engine.ErrUnavailable of a node that failed for reasons of
// its own. A runtime that is being stopped answers so before it is gone.
var ErrInternal = fmt.Errorf("%w: the node failed", engine.ErrUnavailable)

// Driver runs instances on one node for one engine. Every method may be called
// again after a crash of the caller, at any point, and then converges: creating
// what exists with the same key, starting what runs, stopping what is stopped and
// removing what is gone succeed. All methods are safe for concurrent use.
//
// Errors are *engine.Error of a class: ErrUnreachable (the node does not
// answer), ErrInternal, ErrUnavailable (it cannot do it now), ErrUnsupported, ErrConflict (a port is taken), ErrDenied, ErrInvalid
// (image without the wanted file, unknown user), ErrNotFound.
type Driver interface {
	// Info asks the node what it is. An unusable node is ErrUnavailable with
	// the reason and the remedy.
	Info(ctx context.Context) (Info, error)

	// Check says which fields of the component this runtime cannot honour, as
	// joined ErrUnsupported errors whose Field is relative to the component.
	// It is pure but for what Info reports.
	Check(c engine.Component, info Info) error

	// List tells every instance of this engine on the node, running or not, in
	// one call, ordered by key.
	List(ctx context.Context) ([]Instance, error)

	// Observe tells what List and Routes tell, at the cost of one list call: of
	// one deployment, or of all of them where deployment is "".
	Observe(ctx context.Context, deployment string) (Observation, error)

	// Has reports whether the image with that digest is on the node.
	Has(ctx context.Context, image Image) (bool, error)

	// Pull brings the image to the node; once per digest, however often it is
	// asked for at the same time.
	Pull(ctx context.Context, image Image) error

	// Prune removes images that Slipway brought to the node, but not those in
	// keep (pinned references) nor any that an instance there was made from.
	Prune(ctx context.Context, keep []string) error

	// HealthCheck tells the check that an image on the node brings itself
	// (HEALTHCHECK), nil when it has none.
	HealthCheck(ctx context.Context, image Image) (*engine.HealthCheck, error)

	// Preflight reports what would keep the instances from being made: a
	// published port that somebody else holds, a missing host path. Published
	// ports that this deployment already holds are fine. It changes nothing.
	Preflight(ctx context.Context, deployment string, specs []Spec) error

	// Create makes the instance without starting it.
	Create(ctx context.Context, spec Spec) error

	// Start starts a created or stopped instance, and starts it again whenever
	// it ends, as its restart policy says, with a back-off. The secrets are
	// held in memory only.
	Start(ctx context.Context, key Key, secrets Secrets) error

	// Stop sends the stop signal, waits for the grace period, then kills. The
	// instance stays and can be started again.
	Stop(ctx context.Context, key Key) error

	// Remove stops the instance at once when it runs, and removes all of it but
	// its volumes and, for a day, its logs.
	Remove(ctx context.Context, key Key) error

	// Route sets, atomically and for the whole deployment, which instances
	// receive traffic: a component's name and its published ports lead to the
	// instances of its entry. It answers the address of every published port.
	Route(ctx context.Context, deployment string, routes []Route) (map[string]engine.Endpoint, error)

	// Routes tells the table in force and the published addresses by component/port.
	Routes(ctx context.Context, deployment string) ([]Route, map[string]engine.Endpoint, error)

	// RemoveDeployment removes every instance, network, route and snapshot of the
	// deployment, and the named volumes whose name (component/volume) is in
	// volumes; other volumes stay.
	RemoveDeployment(ctx context.Context, deployment string, volumes []string) error

	// Admit lets the instances of the deployment guest, the node's ingress, reach
	// those of another one, and answers for each door how they dial it: host:port,
	// or unix/ and the absolute path of a socket that they see. An address stays
	// as long as its instance does. It may be asked before an instance starts.
	Admit(ctx context.Context, guest, deployment string, doors []Door) ([]string, error)

	// Drain waits until no connection that came through a published port or from
	// a guest is open to the instance, or until ctx ends; that is no error.
	Drain(ctx context.Context, key Key) error

	// Volumes tells which named volumes (component/volume) of the deployment
	// exist on the node, also when none of its instances does.
	Volumes(ctx context.Context, deployment string) ([]string, error)

	// SnapshotVolume copies what a named volume (component/volume) holds, to be
	// kept on the node under a name that is unique in the deployment for ever, and
	// answers how many bytes of files that is. One that is whole is never changed; a
	// half-made one begins anew, and never counts. No instance that has the
	// volume may run. The image is one on the node, for runtimes that need a
	// container to reach the data.
	SnapshotVolume(ctx context.Context, s Snapshot, image Image) (bytes int64, err error)

	// RestoreVolume makes the volume hold exactly what the snapshot does, which
	// stays. When it is interrupted the volume holds neither: restore again. No
	// instance that has the volume may run.
	RestoreVolume(ctx context.Context, s Snapshot, image Image) error

	// Snapshots lists the deployment's snapshots that are whole, ordered by
	// volume and name.
	Snapshots(ctx context.Context, deployment string) ([]Snapshot, error)

	// PruneSnapshots removes the deployment's snapshots, also half-made ones, that
	// are not in keep.
	PruneSnapshots(ctx context.Context, deployment string, keep []Snapshot) error

	// Watch streams what happens to the deployment's instances until ctx ends;
	// then the channel is closed. A slow reader loses events, so it only speeds
	// up what polling List finds too.
	Watch(ctx context.Context, deployment string) (<-chan Event, error)

	// Inspect tells one instance, ErrNotFound when it is gone.
	Inspect(ctx context.Context, key Key) (Instance, error)

	// Exec runs a command inside a running instance, as its user, and kills the
	// command's whole process tree when ctx ends.
	Exec(ctx context.Context, key Key, command []string) (ExecResult, error)

	// Logs gives the last lines of output, oldest first, also of a stopped or
	// just removed instance.
	Logs(ctx context.Context, key Key, lines int) ([]string, error)

	// Dial connects to a port of a running instance; network is tcp or udp.
	Dial(ctx context.Context, key Key, network string, port int) (net.Conn, error)

	// Close frees what the driver holds in this process; instances go on.
	Close() error
}

// Key names one instance.
type Key struct {
	Deployment string // acme/production/shop
	Name       string // component-revision-ordinal, api-3-1; unique in the deployment for ever
}

// Snapshot names a copy of a volume.
type Snapshot struct {
	Deployment string // acme/production/shop
	Volume     string // component/volume
	Name       string // letters, digits, - and _
}

// Info is what a node says of itself.
type Info struct {
	// Place is the same for two drivers if what one brings to the node the other
	// finds there, "" when the node cannot tell.
	Place          string
	Platform       string // linux/amd64
	RuntimeVersion string
	Address        string // where published ports listen when a port names none
	// StartFirstPorts says that a published port can lead to several instances,
	// and move from one to another without a gap. Without it a port is one
	// instance's own from start to stop, and Route only tells where it is.
	StartFirstPorts bool
	LimitCPU        bool // the node can limit CPU
	LimitMemory     bool
	LimitPids       bool
	Snapshots       bool // copies of volumes keep whose every file is
	Users           bool // instances may run as any user id; else as one only
	MinPort         int  // lowest host port that can be published
}

// Labels say whose an instance is and what it is an instance of.
type Labels struct {
	Engine      string `json:"engine"`
	Team        string `json:"team"`
	Environment string `json:"environment"`
	Deployment  string `json:"deployment"`
	Component   string `json:"component"`
	VersionRef  string `json:"version"`
	Revision    int    `json:"revision"`
	Ordinal     int    `json:"ordinal"`     // from 1
	ConfigHash  string `json:"config_hash"` // of the effective configuration
}

// Image is a pinned image and how to reach its registry.
type Image struct {
	Reference string // registry/name:tag@sha256:…
	Auth      Auth
}

// Auth reaches a registry.
type Auth struct {
	Username, Password string
	CACertificate      string // PEM, "" = the system's
	PlainHTTP          bool
}

// Door is a port of an instance that a guest is let in by, see Driver.Admit.
type Door struct {
	Instance string // name
	Port     int    // container port, tcp
}

// Spec is everything that makes one instance, but its secrets.
type Spec struct {
	Key       Key
	Labels    Labels
	Image     string            // registry/name:tag@sha256:…, already on the node
	Component engine.Component  // effective: overrides merged
	Env       map[string]string // effective environment without secrets
	Guest     bool              // it is let in to other deployments, see Driver.Admit
}

// Secrets are given to an instance when it starts, and never written to disk.
type Secrets struct {
	Env   map[string]string `json:"env,omitempty"`
	Files map[string][]byte `json:"files,omitempty"` // by absolute path, mode 0400 of the instance's user
}

// State of an instance.
type State string

// The states of an instance.
const (
	Created    State = "created"
	Running    State = "running"
	Restarting State = "restarting" // ended, waits for its back-off
	Exited     State = "exited"     // ended and stays so, or was stopped
	Lost       State = "lost"       // should run, but nothing supervises it any more
)

// Instance is one replica as it is.
type Instance struct {
	Key           Key
	Labels        Labels
	Image         string // registry/name:tag@sha256:… of what it was made from
	State         State
	Health        string // ok, failing, anomaly, unknown; of the checks that go on after the rollout
	HealthMessage string
	ExitCode      int    // of the last end, -1 when it never ended
	OOMKilled     bool   // the last end was the memory limit
	Error         string // why it could not be started, ""
	Restarts      int    // times it was started again by itself
	StartedAt     time.Time
	Altered       []string // declared things that were changed by hand, each a short phrase
	Unpublished   []string // ports, sorted, that its route publishes and nobody listens on: Route mends it
}

// Observation is what a node shows at one moment.
type Observation struct {
	Instances []Instance       // ordered by key
	Tables    map[string]Table // by deployment
}

// Of is what the observation tells of one deployment.
func (o Observation) Of(deployment string) ([]Instance, Table) {
	var own []Instance
	for _, i := range o.Instances {
		if i.Key.Deployment == deployment {
			own = append(own, i)
		}
	}
	return own, o.Tables[deployment]
}

// Table is the traffic of a deployment: the routes in force, and the addresses of
// published ports by component/port.
type Table struct {
	Routes    []Route
	Endpoints map[string]engine.Endpoint
}

// Route says which instances of a component receive traffic.
type Route struct {
	Component string                 `json:"component"`
	Ports     map[string]engine.Port `json:"ports,omitempty"` // those that are published
	Instances []string               `json:"instances"`       // names, in order
}

// Event is something that happened to an instance.
type Event struct {
	Key  Key
	Kind EventKind
}

// EventKind says what happened.
type EventKind string

// The kinds of events.
const (
	EventStarted EventKind = "started"
	EventDied    EventKind = "died"
	EventRemoved EventKind = "removed"
)

// ExecResult is how a command ended.
type ExecResult struct {
	ExitCode int
	Output   string // stdout and stderr together, the last 4 KiB
}

package control

import (
	"errors"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
)

// Version of the language. A driver understands supervisors of its own version;
// fields may be added without a new one.
const Version = 1

// Op names what is asked for.
type Op string

// What can be asked for.
const (
	OpStatus   Op = "status"   // every instance this supervisor knows
	OpStart    Op = "start"    // Instance, Secrets
	OpStop     Op = "stop"     // Instance
	OpRemove   Op = "remove"   // Instance
	OpRoute    Op = "route"    // Routes, Listeners with one file each
	OpAdmit    Op = "admit"    // Doors, which are opened beside those that are
	OpRelease  Op = "release"  // Listeners, which are closed: the driver binds others in their place
	OpDrain    Op = "drain"    // Instance; answered when no connection is left
	OpWatch    Op = "watch"    // a stream of replies with Event
	OpExec     Op = "exec"     // Instance, Command; closing the connection kills the command
	OpDial     Op = "dial"     // Instance, Network, Port; the reply carries the connected socket
	OpShutdown Op = "shutdown" // ends everything and the supervisor itself
)

// Request of a driver.
type Request struct {
	Version   int           `json:"version"`
	Op        Op            `json:"op"`
	Instance  string        `json:"instance,omitempty"`
	Secrets   node.Secrets  `json:"secrets,omitzero"`
	Command   []string      `json:"command,omitempty"`
	Network   string        `json:"network,omitempty"`
	Port      int           `json:"port,omitempty"`
	Routes    *state.Routes `json:"routes,omitempty"`
	Listeners []Listener    `json:"listeners,omitempty"`
	Doors     []state.Door  `json:"doors,omitempty"`
}

// Listener is a bound port of the node.
type Listener struct {
	Protocol string `json:"protocol"` // tcp, udp
	Address  string `json:"address"`
	Port     int    `json:"port"`
}

// Reply of the supervisor.
type Reply struct {
	Version   int               `json:"version"`
	Error     *Failure          `json:"error,omitempty"`
	Instances map[string]Status `json:"instances,omitempty"`
	Listeners []Listener        `json:"listeners,omitempty"` // held, in the answer to a status
	Exec      *Exec             `json:"exec,omitempty"`
	Event     *node.Event       `json:"event,omitempty"`
}

// Exec is how a command ended; its output may be any bytes.
type Exec struct {
	ExitCode int    `json:"exit_code"`
	Output   []byte `json:"output,omitempty"`
}

// Status is a running supervisor's word on one instance.
type Status struct {
	state.Status
	Health        string   `json:"health,omitempty"`
	HealthMessage string   `json:"health_message,omitempty"`
	Altered       []string `json:"altered,omitempty"`
	Address       string   `json:"address,omitempty"` // in the deployment's network

	// Record is what the instance is, when it lives but its directory is gone.
	Record *state.Record `json:"record,omitempty"`
}

// Failure is an *engine.Error on the wire.
type Failure struct {
	Class  string `json:"class,omitempty"`
	Field  string `json:"field,omitempty"`
	Reason string `json:"reason"`
	Hint   string `json:"hint,omitempty"`
}

var classes = map[string]error{
	"not_found": engine.ErrNotFound, "invalid": engine.ErrInvalid, "conflict": engine.ErrConflict,
	"unavailable": engine.ErrUnavailable, "unsupported": engine.ErrUnsupported, "denied": engine.ErrDenied,
}

// Fail puts an error on the wire; nil stays nil.
func Fail(err error) *Failure {
	if err == nil {
		return nil
	}
	f := &Failure{Reason: err.Error()}
	for name, class := range classes {
		if errors.Is(err, class) {
			f.Class = name
		}
	}
	var known *engine.Error
	if errors.As(err, &known) {
		f.Field, f.Hint = known.Field, known.Hint
		bare := *known
		bare.Field = ""
		f.Reason = bare.Error()
	}
	return f
}

// Err takes it off the wire.
func (f *Failure) Err() error {
	if f == nil {
		return nil
	}
	class := classes[f.Class]
	if class == nil {
		class = engine.ErrUnavailable
	}
	return &engine.Error{Class: class, Field: f.Field, Reason: f.Reason, Hint: f.Hint}
}

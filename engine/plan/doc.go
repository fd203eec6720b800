// Package plan compares what a deployment should run with what runs, and says
// what to do: which instances stay, which go, how many are made, in which order.
//
// It is pure. Make plans a rollout from what the node shows; Changes and
// Gaps tell a user beforehand, from configuration alone.
package plan

import "github.com/slipwayhq/terraform-provider-slipway/engine/catalog"

// Instance is one replica as the node shows it.
type Instance struct {
	Name       string
	Component  string
	Ordinal    int
	Revision   int
	ConfigHash string
	Usable     bool   // runs as declared: not lost, ended or altered
	Problem    string // why it is not usable, such as "instance is exited"
}

// Desired is what should run.
type Desired struct {
	Components map[string]catalog.Effective
}

// Traits decide, beside the configurations, how instances can be replaced.
type Traits struct {
	StartFirstPorts bool   // of the node: a published port can move from one instance to another without a gap
	Recreate        bool   // the strategy wants the old instances stopped before the new start
	Data            []Data // what is done to volumes before anything new starts
}

// Action says what happens to a component.
type Action string

// The actions. Only Keep leaves every instance alone.
const (
	Keep    Action = "keep"
	Create  Action = "create"  // it did not run before
	Replace Action = "replace" // its effective configuration changed
	Scale   Action = "scale"   // only its number of instances changed
	Repair  Action = "repair"  // instances are gone or not as declared
	Remove  Action = "remove"  // it is not wanted any more
)

// Step is everything to do about one component.
type Step struct {
	Component string
	Action    Action
	// DependsOn names the components whose steps come first: what the component
	// depends on, and for a removed one the removed ones that depended on it.
	DependsOn  []string
	Keep       []string // names of instances that stay untouched
	Retire     []string // names of instances that go
	Create     int      // number of new instances
	StartFirst bool     // new instances become healthy before old ones stop
	Why        string   // what changed: "image", "env, ports", "instance is gone"; "" for keep, create and remove
	Restoring  bool     // data that it works on is restored first: no old instance that goes may run then
	Gap        string   // why old instances must stop first: "single-writer volume data", "fixed host port 9000"; "" otherwise
}

// Plan is a list of steps, dependencies first and removed components last.
type Plan struct {
	Steps []Step
}

// Package fake is a node in memory, for tests of what is above the driver: it
// keeps the promises of node.Driver, behaves as the instances' environment
// says, and fails where a test wants it to.
package fake

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// BehaviourVariable is the environment variable that says how an instance
// behaves; absent, it is healthy for ever.
const BehaviourVariable = "FAKE"

// WritesVariable is the environment variable that says what an instance migrates when
// it starts: "db/data by2" adds " by2" to what that volume of its deployment holds,
// unless that ends so.
const WritesVariable = "WRITES"

// Behaviours of instances.
const (
	Exits    = "exits"     // ends with code 3 as soon as it starts
	Sick     = "sick"      // runs, and fails every check
	DiesSoon = "dies-soon" // passes its checks twice, then ends with code 4
	Done     = "done"      // ends with code 0 as soon as it starts
)

// Node is the machine: it outlives the engines that drive it.
type Node struct {
	mu        sync.Mutex
	instances map[node.Key]*instance
	routes    map[string][]node.Route
	volumes   map[string]map[string]string // deployment -> component/volume -> what it holds, see Write
	snapshots map[node.Snapshot]string
	images    map[string]bool
	watchers  map[chan node.Event]string
	calls     []string

	fault func(method, name string) error

	// Place is what the node says that it is.
	Place string
	// Missing images cannot be pulled.
	Missing map[string]bool
	// PortsHeld are host ports that somebody else listens on.
	PortsHeld map[int]bool
	// MayNotOverlap, when set, reports two running instances of one component
	// that must not run at once; the fake calls it at every start.
	MayNotOverlap func(a, b node.Spec)
}

type instance struct {
	spec    node.Spec
	state   node.Instance
	secrets node.Secrets
	probes  int
}

// New makes an empty node.
func New() *Node {
	return &Node{
		instances: map[node.Key]*instance{}, routes: map[string][]node.Route{},
		volumes: map[string]map[string]string{}, snapshots: map[node.Snapshot]string{}, images: map[string]bool{}, watchers: map[chan node.Event]string{},
		Missing: map[string]bool{}, PortsHeld: map[int]bool{},
	}
}

// Driver drives the node for one engine; "" sees what any engine made.
func (n *Node) Driver(engineID string) node.Driver { return &driver{node: n, engine: engineID} }

// SetFault makes every call ask fault first, by method and instance or image
// name; what it answers the call answers, with nothing done. nil ends it.
func (n *Node) SetFault(fault func(method, name string) error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fault = fault
}

// Calls tells what was done, "method name" each, and forgets it.
func (n *Node) Calls() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	calls := n.calls
	n.calls = nil
	return calls
}

// Running lists the instances of a deployment that run, sorted by name.
func (n *Node) Running(deployment string) []node.Instance {
	return n.filter(func(i *instance) bool {
		return i.spec.Key.Deployment == deployment && i.state.State == node.Running
	})
}

// All lists everything on the node, sorted by key.
func (n *Node) All() []node.Instance { return n.filter(func(*instance) bool { return true }) }

// Images lists the pinned references on the node, sorted.
func (n *Node) Images() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Sorted(maps.Keys(n.images))
}

// Secrets tells what an instance was started with.
func (n *Node) Secrets(key node.Key) node.Secrets {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.instances[key].secrets
}

// Spec tells what an instance was made of.
func (n *Node) Spec(key node.Key) node.Spec {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.instances[key].spec
}

// Routed names the instances that have a component's traffic.
func (n *Node) Routed(deployment, component string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.routes[deployment] {
		if r.Component == component {
			return slices.Clone(r.Instances)
		}
	}
	return nil
}

// Lines names the components that the traffic table of a deployment has.
func (n *Node) Lines(deployment string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var names []string
	for _, r := range n.routes[deployment] {
		names = append(names, r.Component)
	}
	return names
}

// Alter changes an instance by hand: its state, or what was done to it.
func (n *Node) Alter(key node.Key, change func(*node.Instance)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(&n.instances[key].state)
}

// Lose removes an instance behind everybody's back.
func (n *Node) Lose(key node.Key) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.instances, key)
}

func (n *Node) filter(keep func(*instance) bool) []node.Instance {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []node.Instance
	for _, i := range n.instances {
		if keep(i) {
			all = append(all, i.state)
		}
	}
	slices.SortFunc(all, func(a, b node.Instance) int {
		return strings.Compare(a.Key.Deployment+" "+a.Key.Name, b.Key.Deployment+" "+b.Key.Name)
	})
	return all
}

// enter records a changing call and asks for its fault. The node is locked
// until leave is called.
func (n *Node) enter(ctx context.Context, method, name string) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n.mu.Lock()
	fault := n.fault
	n.mu.Unlock()
	if fault != nil {
		if err := fault(method, name); err != nil {
			return nil, err
		}
	}
	n.mu.Lock()
	n.calls = append(n.calls, method+" "+name)
	return n.mu.Unlock, nil
}

func (n *Node) tell(key node.Key, kind node.EventKind) {
	for ch, deployment := range n.watchers {
		if deployment == key.Deployment {
			select {
			case ch <- node.Event{Key: key, Kind: kind}:
			default:
			}
		}
	}
}

func (n *Node) get(key node.Key) (*instance, error) {
	i, ok := n.instances[key]
	if !ok {
		return nil, engine.NotFound("instance", key.Name)
	}
	return i, nil
}

package state

import (
	"errors"
	"io/fs"
	"os"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Label says whose a sandbox is and what its supervisor must know.
type Label struct {
	Engine     string `json:"engine"`
	Deployment string `json:"deployment"`
	Root       string `json:"root"` // of the node
}

// WriteLabel marks a sandbox.
func WriteLabel(s Sandbox, l Label) error { return write(s.LabelFile(), l, true) }

// ReadLabel tells whose the sandbox is.
func ReadLabel(s Sandbox) (l Label, err error) { return l, read(s.LabelFile(), &l) }

// Process names the supervisor as the machine sees it, to end one that hangs.
type Process struct {
	PID     int    `json:"pid"`
	Started string `json:"started"` // the kernel's start time: a reused pid has another one
}

// WriteProcess remembers the supervisor's process.
func WriteProcess(s Sandbox, p Process) error { return write(s.ProcessFile(), p, false) }

// ReadProcess tells the supervisor's process.
func ReadProcess(s Sandbox) (p Process, err error) { return p, read(s.ProcessFile(), &p) }

// Routes is the traffic table of a deployment, keyed by instance.
type Routes struct {
	Table []node.Route `json:"table,omitempty"`
	// Endpoints are the published addresses by component/port. One that is no
	// longer in the table stays, so that a chosen port comes back.
	Endpoints map[string]engine.Endpoint `json:"endpoints,omitempty"`
}

// WriteRoutes replaces the table.
func WriteRoutes(s Sandbox, r Routes) error { return write(s.RoutesFile(), r, true) }

// ReadRoutes tells the table; none is an empty one.
func ReadRoutes(s Sandbox) (r Routes, err error) {
	err = read(s.RoutesFile(), &r)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return r, err
}

// WriteCgroups remembers the directories of control groups, deepest last.
func WriteCgroups(s Sandbox, dirs []string) error { return write(s.CgroupsFile(), dirs, false) }

// ReadCgroups tells them; an absent list is empty.
func ReadCgroups(s Sandbox) (dirs []string, err error) {
	err = read(s.CgroupsFile(), &dirs)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return dirs, err
}

// Names lists the instances that have a directory, ordered by name.
func (s Sandbox) Names() ([]string, error) {
	entries, err := os.ReadDir(s.Instances())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && CheckName(e.Name()) == nil {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// All lists the sandboxes of the node.
func (r Root) All() ([]Sandbox, error) {
	entries, err := os.ReadDir(r.Sandboxes())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all []Sandbox
	for _, e := range entries {
		if e.IsDir() {
			all = append(all, Sandbox{Dir: r.Sandboxes() + string(os.PathSeparator) + e.Name()})
		}
	}
	return all, err
}

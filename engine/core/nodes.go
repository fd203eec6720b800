package core

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/steady"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// driverEntry is an open driver and what it was opened for.
type driverEntry struct {
	declared string
	keys     engine.DockerKeys
	driver   *steady.Driver
}

// serves reports whether the driver is the one for a node of that declaration. A
// node that comes without keys is as it was.
func (d *driverEntry) serves(declared string, n engine.Node) bool {
	return d != nil && d.declared == declared && (n.Docker == nil || n.Docker.Keys == nil || *n.Docker.Keys == d.keys)
}

// declaration is everything that a driver is opened for.
func declaration(n engine.Node) (string, error) {
	text, err := json.Marshal(struct {
		Local  *engine.LocalNode
		Docker *engine.DockerNode
	}{n.Local, n.Docker})
	return string(text), err
}

// newDriver opens the runtime that a node declares.
func (e *Engine) newDriver(n engine.Node) (node.Driver, error) {
	if n.Docker != nil {
		return e.dockerDriver(*n.Docker)
	}
	return e.localDriver(n)
}

func (e *Engine) localDriver(n engine.Node) (node.Driver, error) {
	root := n.Local.Root
	if root == "" {
		root = filepath.Join(e.cfg.DataDir, "nodes", engine.ParentID(n.ID), n.Name)
	}
	return local.New(local.Config{
		Root: root, Address: n.Local.Address, EngineID: e.EngineID(),
		Executable: e.cfg.Supervisor, Platform: localPlatform(),
	})
}

func localPlatform() string { return runtime.GOOS + "/" + runtime.GOARCH }

// driver answers the open driver of a node, and opens it the first time, and
// again with other keys that come with the node.
func (e *Engine) driver(ctx context.Context, n engine.Node) (*steady.Driver, error) {
	declared, err := declaration(n)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if entry := e.drivers[n.ID]; entry.serves(declared, n) {
		return entry.driver, nil
	}
	if n, err = e.withKeys(ctx, n); err != nil {
		return nil, err
	}
	opened, err := e.cfg.NewDriver(n)
	if err != nil {
		return nil, err
	}
	d := steady.New(opened, steady.Options{Node: n.ID, Log: e.log, Now: e.clock.Now, After: e.after})
	e.drivers[n.ID] = &driverEntry{declared: declared, keys: keysOf(n), driver: d}
	return d, nil
}

// snapshot is what a node showed in this run: one list call however many
// deployments it has (design 4.5.4).
type snapshot struct {
	once sync.Once
	seen node.Observation
	err  error
}

// observation looks at a node, once per run until forgetNode.
func (e *Engine) observation(ctx context.Context, n engine.Node) (node.Observation, error) {
	d, err := e.driver(ctx, n)
	if err != nil {
		return node.Observation{}, err
	}
	e.mu.Lock()
	s := e.snapshots[n.ID]
	if s == nil {
		s = &snapshot{}
		e.snapshots[n.ID] = s
	}
	e.mu.Unlock()
	s.once.Do(func() { s.seen, s.err = d.Observe(context.WithoutCancel(ctx), "") })
	return s.seen, s.err
}

// forgetNode makes the next look at a node a fresh one.
func (e *Engine) forgetNode(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.snapshots, id)
}

// CreateNode implements engine.Service. The node is asked for what it is: one
// that cannot run anything is refused with the remedy.
func (e *Engine) CreateNode(ctx context.Context, n engine.Node) (engine.Node, error) {
	n, err := e.checkedNode(ctx, n)
	if err != nil {
		return engine.Node{}, err
	}
	made, err := e.writeNode(ctx, n, store.Queries.CreateNode)
	if err != nil || n.Ingress == nil {
		return made, err
	}
	if err := e.ensureIngress(ctx, n); err != nil {
		whole := context.WithoutCancel(ctx)
		return engine.Node{}, errors.Join(err, e.removeIngress(whole, n), e.store.DeleteNode(whole, n.ID))
	}
	return made, nil
}

// UpdateNode implements engine.Service.
func (e *Engine) UpdateNode(ctx context.Context, n engine.Node) (engine.Node, error) {
	stored, err := e.store.Node(ctx, n.ID)
	if err != nil {
		return engine.Node{}, err
	}
	if n, err = e.checkedNode(ctx, n); err != nil {
		return engine.Node{}, err
	}
	if err := e.ingressMayChange(ctx, n); err != nil {
		return engine.Node{}, err
	}
	if field := moved(stored, n); field != "" {
		if err := e.nothingRuns(ctx, stored, field); err != nil {
			return engine.Node{}, err
		}
	}
	if err := e.ensureIngress(ctx, n); err != nil {
		return engine.Node{}, err
	}
	return e.writeNode(ctx, n, store.Queries.UpdateNode)
}

func (e *Engine) checkedNode(ctx context.Context, n engine.Node) (engine.Node, error) {
	n.ID = engine.JoinID(n.TeamID, n.Name)
	if err := catalog.ValidateNode(n); err != nil {
		return engine.Node{}, err
	}
	d, err := e.driver(ctx, n)
	if err != nil {
		return engine.Node{}, err
	}
	info, err := d.Info(ctx)
	if err != nil {
		return engine.Node{}, err
	}
	return n, catalog.CheckIngressPorts(n, info.MinPort)
}

// moved names what makes a node another place than it was, "" when nothing does.
func moved(stored, wanted engine.Node) string {
	switch {
	case stored.Kind != wanted.Kind:
		return string(wanted.Kind)
	case wanted.Local != nil && stored.Local != nil && stored.Local.Root != wanted.Local.Root:
		return "local.root"
	case wanted.Local != nil && stored.Local != nil && stored.Local.Address != wanted.Local.Address:
		return "local.address"
	case wanted.Docker != nil && stored.Docker != nil && stored.Docker.Host != wanted.Docker.Host:
		return "docker.host"
	case wanted.Docker != nil && stored.Docker != nil && stored.Docker.Context != wanted.Docker.Context:
		return "docker.context"
	case wanted.Docker != nil && stored.Docker != nil && stored.Docker.Address != wanted.Docker.Address:
		return "docker.address"
	default:
		return ""
	}
}

// nothingRuns refuses to change where the instances of a node live or listen.
func (e *Engine) nothingRuns(ctx context.Context, n engine.Node, field string) error {
	held, err := e.store.ListDeploymentsByNode(ctx, n.ID)
	if err != nil {
		return err
	}
	if len(held) == 0 {
		return nil
	}
	return &engine.Error{
		Class: engine.ErrConflict, Field: field,
		Reason: fmt.Sprintf("node %s has %d deployments, whose instances live and listen where it says", n.ID, len(held)),
		Hint:   "destroy the deployments first, or make a node of another name; a single port can be moved with its host_address",
	}
}

// Node implements engine.Service.
func (e *Engine) Node(ctx context.Context, id string) (engine.Node, error) {
	return e.store.Node(ctx, id)
}

// NodeStatus implements engine.Service.
func (e *Engine) NodeStatus(ctx context.Context, id string) (engine.NodeStatus, error) {
	n, err := e.store.Node(ctx, id)
	if err != nil {
		return engine.NodeStatus{}, err
	}
	d, err := e.driver(ctx, n)
	if err == nil {
		var info node.Info
		if info, err = d.Info(ctx); err == nil {
			status := engine.NodeStatus{
				State: engine.NodeReady, Platform: info.Platform,
				RuntimeVersion: info.RuntimeVersion, Address: info.Address,
			}
			if status.Drift, err = e.ingressDrift(ctx, n); err == nil {
				return status, nil
			}
		}
	}
	return engine.NodeStatus{State: engine.NodeUnreachable, Message: reasonAndHint(err)}, nil
}

// reasonAndHint is an error for a status line.
func reasonAndHint(err error) string {
	text := err.Error()
	var known *engine.Error
	if errors.As(err, &known) && known.Hint != "" {
		text += "; " + known.Hint
	}
	return text
}

// DeleteNode implements engine.Service. Its ingress goes once nothing keeps the
// node any more; and so does what nobody pruned while the node was away, if it is
// there: nobody knows of it later.
func (e *Engine) DeleteNode(ctx context.Context, id string) error {
	n, err := e.store.Node(ctx, id)
	if err != nil {
		return err
	}
	if err := e.store.NodeUnused(ctx, id); err != nil {
		return err
	}
	if err := e.removeIngress(ctx, n); err != nil {
		return err
	}
	e.prune(ctx, n)
	return e.store.DeleteNode(ctx, id)
}

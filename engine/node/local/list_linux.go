package local

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/control"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/state"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/supervisor"
)

// List implements node.Driver.
func (d *Driver) List(ctx context.Context) ([]node.Instance, error) {
	seen, err := d.Observe(ctx, "")
	return seen.Instances, err
}

// Observe implements node.Driver: the disk says which instances there are, their
// supervisors, all asked at once, how they are.
func (d *Driver) Observe(ctx context.Context, deployment string) (node.Observation, error) {
	sandboxes := []state.Sandbox{d.sandbox(deployment)}
	if deployment == "" {
		var err error
		if sandboxes, err = d.root.All(); err != nil {
			return node.Observation{}, err
		}
	}
	found := make([]node.Observation, len(sandboxes))
	errs := make([]error, len(sandboxes))
	var wait sync.WaitGroup
	for n, s := range sandboxes {
		wait.Go(func() { found[n], errs[n] = d.observeOne(ctx, s) })
	}
	wait.Wait()
	all := node.Observation{Tables: map[string]node.Table{}}
	for _, one := range found {
		all.Instances = append(all.Instances, one.Instances...)
		maps.Copy(all.Tables, one.Tables)
	}
	slices.SortFunc(all.Instances, func(a, b node.Instance) int {
		return strings.Compare(a.Key.Deployment+"\x00"+a.Key.Name, b.Key.Deployment+"\x00"+b.Key.Name)
	})
	return all, errors.Join(errs...)
}

func (d *Driver) observeOne(ctx context.Context, s state.Sandbox) (node.Observation, error) {
	label, err := state.ReadLabel(s)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && label.Engine != d.EngineID) {
		return node.Observation{}, nil // being made or removed, or another engine's
	}
	if err != nil {
		return node.Observation{}, err
	}
	instances, err := d.instancesIn(ctx, s, label)
	routes, endpoints, broken := d.Routes(ctx, label.Deployment)
	return node.Observation{
		Instances: instances, Tables: map[string]node.Table{label.Deployment: {Routes: routes, Endpoints: endpoints}},
	}, errors.Join(err, broken)
}

func (d *Driver) instancesIn(ctx context.Context, s state.Sandbox, label state.Label) ([]node.Instance, error) {
	names, err := s.Names()
	if err != nil {
		return nil, err
	}
	live, listeners := d.ask(ctx, s)
	for name, now := range live {
		if now.Record != nil && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	var all []node.Instance
	for _, name := range names {
		i, err := describe(s.Instance(name), live)
		if errors.Is(err, engine.ErrNotFound) {
			continue // removed in this moment, or never finished
		}
		if err != nil {
			i = unreadable(label, name, live)
		}
		all = append(all, i)
	}
	return all, d.unpublished(s, listeners, all)
}

// unreadable stands for an instance whose spec.json cannot be read any more, so
// that one damaged file hides neither it nor its neighbours: it is replaced.
func unreadable(label state.Label, name string, live map[string]control.Status) node.Instance {
	i := node.Instance{
		Key:   node.Key{Deployment: label.Deployment, Name: name},
		State: node.Lost, ExitCode: -1, Altered: []string{"its spec.json cannot be read"},
	}
	i.Labels = node.Labels{Engine: label.Engine, Deployment: label.Deployment, Component: componentOf(name)}
	if now, known := live[name]; known {
		i.State = now.State
	}
	return i
}

// componentOf reads the component out of component-revision-ordinal.
func componentOf(name string) string {
	parts := strings.Split(name, "-")
	return strings.Join(parts[:max(1, len(parts)-2)], "-")
}

// unpublished notes the ports of the table in force that a living supervisor does
// not listen on: somebody was killed between starting it and routing to it, or the
// node's address was changed.
func (d *Driver) unpublished(s state.Sandbox, listeners []control.Listener, all []node.Instance) error {
	routes, err := state.ReadRoutes(s)
	if err != nil {
		return err
	}
	for _, r := range routes.Table {
		for port, p := range r.Ports {
			e := routes.Endpoints[r.Component+"/"+port]
			moved := p.Published() && e.Address != wanted(p, d.Address).Address
			if !moved && slices.Contains(listeners, control.Listener{Protocol: supervisor.Protocol(p), Address: e.Address, Port: e.Port}) {
				continue
			}
			for n := range all {
				if all[n].State == node.Running && slices.Contains(r.Instances, all[n].Key.Name) {
					all[n].Unpublished = append(all[n].Unpublished, port)
					slices.Sort(all[n].Unpublished)
				}
			}
		}
	}
	return nil
}

// askTimeout bounds the wait for a supervisor that does not answer.
const askTimeout = 5 * time.Second

// ask gives what the supervisor knows; nothing when there is none.
func (d *Driver) ask(ctx context.Context, s state.Sandbox) (map[string]control.Status, []control.Listener) {
	if !state.Alive(s) {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	reply, _, err := control.Call(ctx, s.Socket(), control.Request{Op: control.OpStatus})
	if err != nil {
		return nil, nil
	}
	return reply.Instances, reply.Listeners
}

// Inspect implements node.Driver.
func (d *Driver) Inspect(ctx context.Context, key node.Key) (node.Instance, error) {
	s := d.sandbox(key.Deployment)
	if err := state.CheckName(key.Name); err != nil {
		return node.Instance{}, err
	}
	live, _ := d.ask(ctx, s)
	return describe(s.Instance(key.Name), live)
}

// describe puts together what disk and supervisor know.
func describe(in state.Instance, live map[string]control.Status) (node.Instance, error) {
	now, known := live[in.Name()]
	record, altered, err := state.ReadRecord(in)
	if errors.Is(err, os.ErrNotExist) {
		if now.Record == nil {
			return node.Instance{}, engine.NotFound("instance", in.Name())
		}
		record, now.Altered, err = *now.Record, append(now.Altered, "its directory was removed"), nil
	}
	if err != nil {
		return node.Instance{}, err
	}
	i := node.Instance{Key: record.Spec.Key, Labels: record.Spec.Labels, Image: record.Spec.Image}
	if !known {
		now.Status, err = state.ReadStatus(in)
		if err != nil || now.Wanted == engine.StateRunning {
			now.State = node.Lost
		}
	}
	i.State, i.ExitCode, i.OOMKilled, i.Error = now.State, now.ExitCode, now.OOMKilled, now.Error
	i.Restarts, i.StartedAt = now.Restarts, now.StartedAt
	i.Health, i.HealthMessage, i.Altered = now.Health, now.HealthMessage, now.Altered
	if altered {
		i.Altered = append(i.Altered, "its spec.json was edited")
	}
	return i, nil
}

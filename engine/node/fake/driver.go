package fake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

type driver struct {
	node   *Node
	engine string
}

func (d *driver) Info(context.Context) (node.Info, error) {
	return node.Info{
		Place: d.node.Place, Platform: "linux/amd64", RuntimeVersion: "fake", Address: "127.0.0.1", StartFirstPorts: true,
		LimitCPU: true, LimitMemory: true, LimitPids: true, Snapshots: true, Users: true, MinPort: 1,
	}, nil
}

func (d *driver) Check(c engine.Component, _ node.Info) error {
	if c.Security != nil && c.Security.Privileged {
		return engine.Unsupported("security.privileged", "the fake node has no privileges", "leave privileged out")
	}
	return nil
}

func (d *driver) List(ctx context.Context) ([]node.Instance, error) {
	if err := d.quiet(ctx, "list", ""); err != nil {
		return nil, err
	}
	return d.node.filter(func(i *instance) bool { return d.engine == "" || i.spec.Labels.Engine == d.engine }), nil
}

// quiet is enter for calls that change nothing.
func (d *driver) quiet(ctx context.Context, method, name string) error {
	leave, err := d.node.enter(ctx, method, name)
	if err == nil {
		leave()
	}
	return err
}

func (d *driver) Has(_ context.Context, image node.Image) (bool, error) {
	d.node.mu.Lock()
	defer d.node.mu.Unlock()
	return d.node.images[image.Reference], nil
}

func (d *driver) Pull(ctx context.Context, image node.Image) error {
	leave, err := d.node.enter(ctx, "pull", image.Reference)
	if err != nil {
		return err
	}
	defer leave()
	if d.node.Missing[image.Reference] {
		return &engine.Error{Class: engine.ErrNotFound, Reason: "the registry has no image " + image.Reference}
	}
	d.node.images[image.Reference] = true
	return nil
}

func (d *driver) Prune(ctx context.Context, keep []string) error {
	leave, err := d.node.enter(ctx, "prune", "")
	if err != nil {
		return err
	}
	defer leave()
	for _, i := range d.node.instances {
		keep = append(keep, i.spec.Image)
	}
	for reference := range d.node.images {
		if !slices.Contains(keep, reference) {
			delete(d.node.images, reference)
		}
	}
	return nil
}

func (d *driver) HealthCheck(context.Context, node.Image) (*engine.HealthCheck, error) {
	return nil, nil
}

func (d *driver) Preflight(ctx context.Context, deployment string, specs []node.Spec) error {
	if err := d.quiet(ctx, "preflight", deployment); err != nil {
		return err
	}
	for _, s := range specs {
		for name, p := range s.Component.Ports {
			if p.Published() && d.node.PortsHeld[*p.HostPort] {
				return &engine.Error{
					Class: engine.ErrConflict, Field: fmt.Sprintf("components.%s.ports.%s.host_port", s.Labels.Component, name),
					Reason: fmt.Sprintf("port %d is taken by another program", *p.HostPort), Hint: "use another host_port",
				}
			}
		}
	}
	return nil
}

func (d *driver) Create(ctx context.Context, spec node.Spec) error {
	leave, err := d.node.enter(ctx, "create", spec.Key.Name)
	if err != nil {
		return err
	}
	defer leave()
	if _, there := d.node.instances[spec.Key]; there {
		return nil
	}
	if !d.node.images[spec.Image] {
		return engine.NotFound("image", spec.Image)
	}
	d.node.instances[spec.Key] = &instance{spec: spec, state: node.Instance{
		Key: spec.Key, Labels: spec.Labels, Image: spec.Image, State: node.Created, Health: "unknown", ExitCode: -1,
	}}
	for name := range spec.Component.Volumes {
		if d.node.volumes[spec.Key.Deployment] == nil {
			d.node.volumes[spec.Key.Deployment] = map[string]string{}
		}
		d.node.volumes[spec.Key.Deployment][spec.Labels.Component+"/"+name] += ""
	}
	return nil
}

func (d *driver) Start(ctx context.Context, key node.Key, secrets node.Secrets) error {
	leave, err := d.node.enter(ctx, "start", key.Name)
	if err != nil {
		return err
	}
	defer leave()
	i, err := d.node.get(key)
	if err != nil || i.state.State == node.Running {
		return err
	}
	d.overlaps(i.spec)
	i.secrets, i.probes = secrets, 0
	d.migrate(i.spec)
	i.state.State, i.state.StartedAt = node.Running, time.Now()
	switch i.spec.Env[BehaviourVariable] {
	case Exits:
		i.state.State, i.state.ExitCode = node.Exited, 3
		d.node.tell(key, node.EventDied)
	case Done:
		i.state.State, i.state.ExitCode = node.Exited, 0
		d.node.tell(key, node.EventDied)
	default:
		d.node.tell(key, node.EventStarted)
	}
	return nil
}

func (d *driver) overlaps(fresh node.Spec) {
	if d.node.MayNotOverlap == nil {
		return
	}
	for _, other := range d.node.instances {
		same := other.spec.Key.Deployment == fresh.Key.Deployment && other.spec.Labels.Component == fresh.Labels.Component
		if same && other.state.State == node.Running && other.spec.Key != fresh.Key {
			d.node.MayNotOverlap(other.spec, fresh)
		}
	}
}

func (d *driver) Stop(ctx context.Context, key node.Key) error {
	leave, err := d.node.enter(ctx, "stop", key.Name)
	if err != nil {
		return err
	}
	defer leave()
	if i, there := d.node.instances[key]; there && i.state.State == node.Running {
		i.state.State, i.state.ExitCode = node.Exited, 0
		d.node.tell(key, node.EventDied)
	}
	return nil
}

func (d *driver) Remove(ctx context.Context, key node.Key) error {
	leave, err := d.node.enter(ctx, "remove", key.Name)
	if err != nil {
		return err
	}
	defer leave()
	delete(d.node.instances, key)
	d.node.tell(key, node.EventRemoved)
	return nil
}

func (d *driver) Route(ctx context.Context, deployment string, routes []node.Route) (map[string]engine.Endpoint, error) {
	leave, err := d.node.enter(ctx, "route", deployment)
	if err != nil {
		return nil, err
	}
	defer leave()
	d.node.routes[deployment] = slices.Clone(routes)
	for key, i := range d.node.instances {
		if key.Deployment == deployment {
			i.state.Unpublished = nil
		}
	}
	return endpoints(routes), nil
}

func (d *driver) Routes(_ context.Context, deployment string) ([]node.Route, map[string]engine.Endpoint, error) {
	d.node.mu.Lock()
	defer d.node.mu.Unlock()
	routes := slices.Clone(d.node.routes[deployment])
	return routes, endpoints(routes), nil
}

func (d *driver) Observe(ctx context.Context, deployment string) (node.Observation, error) {
	all, err := d.List(ctx)
	if err != nil {
		return node.Observation{}, err
	}
	d.node.mu.Lock()
	defer d.node.mu.Unlock()
	seen := node.Observation{Tables: map[string]node.Table{}}
	for _, i := range all {
		if deployment == "" || deployment == i.Key.Deployment {
			seen.Instances = append(seen.Instances, i)
		}
	}
	for id, routes := range d.node.routes {
		if deployment == "" || deployment == id {
			seen.Tables[id] = node.Table{Routes: slices.Clone(routes), Endpoints: endpoints(routes)}
		}
	}
	return seen, nil
}

func endpoints(routes []node.Route) map[string]engine.Endpoint {
	all := map[string]engine.Endpoint{}
	for _, r := range routes {
		for name, p := range r.Ports {
			all[r.Component+"/"+name] = engine.Endpoint{
				Address: "127.0.0.1", Port: *p.HostPort, URL: fmt.Sprintf("http://127.0.0.1:%d", *p.HostPort),
			}
		}
	}
	return all
}

func (d *driver) RemoveDeployment(ctx context.Context, deployment string, volumes []string) error {
	leave, err := d.node.enter(ctx, "remove-deployment", deployment)
	if err != nil {
		return err
	}
	defer leave()
	for key := range d.node.instances {
		if key.Deployment == deployment {
			delete(d.node.instances, key)
		}
	}
	delete(d.node.routes, deployment)
	for _, v := range volumes {
		delete(d.node.volumes[deployment], v)
	}
	maps.DeleteFunc(d.node.snapshots, func(s node.Snapshot, _ string) bool { return s.Deployment == deployment })
	return nil
}

func (d *driver) Volumes(_ context.Context, deployment string) ([]string, error) {
	d.node.mu.Lock()
	defer d.node.mu.Unlock()
	var all []string
	for v := range d.node.volumes[deployment] {
		all = append(all, v)
	}
	slices.Sort(all)
	return all, nil
}

func (d *driver) Drain(ctx context.Context, key node.Key) error {
	return d.quiet(ctx, "drain", key.Name)
}

func (d *driver) Close() error { return nil }

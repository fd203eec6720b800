package docker

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// inspections is how many containers are looked at in detail at once.
const inspections = 16

// List implements node.Driver.
func (d *Driver) List(ctx context.Context) ([]node.Instance, error) {
	seen, err := d.Observe(ctx, "")
	return seen.Instances, err
}

// Observe implements node.Driver: one list call, then each container of this
// engine is inspected, once, since the list tells neither limits nor names in the
// network nor how an instance ended.
func (d *Driver) Observe(ctx context.Context, deployment string) (node.Observation, error) {
	list, err := d.everything(ctx, deployment)
	if err != nil {
		return node.Observation{}, err
	}
	all, copies := instancesOf(list) // also what was never finished, for somebody to remove it
	inspected, err := d.inspectAll(ctx, all)
	if err != nil {
		return node.Observation{}, err
	}
	seen := node.Observation{Tables: map[string]node.Table{}}
	whole := map[string][]container.InspectResponse{}
	for _, c := range inspected {
		i := d.instance(c)
		for _, name := range copies[i.Key] {
			i.Altered = append(i.Altered, "has a copy, container "+name)
		}
		seen.Instances = append(seen.Instances, i)
		if !strings.Contains(c.Name, unfinished) {
			whole[i.Key.Deployment] = append(whole[i.Key.Deployment], c)
		}
	}
	for id, containers := range whole {
		seen.Tables[id] = d.table(containers)
	}
	slices.SortFunc(seen.Instances, func(a, b node.Instance) int {
		return cmp.Or(cmp.Compare(a.Key.Deployment, b.Key.Deployment), cmp.Compare(a.Key.Name, b.Key.Name))
	})
	return seen, nil
}

// inspectAll inspects containers in parallel; those that went meanwhile are left out.
func (d *Driver) inspectAll(ctx context.Context, all []container.Summary) ([]container.InspectResponse, error) {
	answers := make([]*container.InspectResponse, len(all))
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(inspections)
	for i, c := range all {
		group.Go(func() error {
			found, err := d.api.ContainerInspect(gctx, c.ID, client.ContainerInspectOptions{})
			if cerrdefs.IsNotFound(err) {
				return nil
			}
			answers[i] = &found.Container
			return d.failed("inspect "+nameOf(c), err)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var found []container.InspectResponse
	for _, a := range answers {
		if a != nil {
			found = append(found, *a)
		}
	}
	return found, nil
}

// Inspect implements node.Driver.
func (d *Driver) Inspect(ctx context.Context, key node.Key) (node.Instance, error) {
	c, err := d.find(ctx, key)
	if err != nil {
		return node.Instance{}, err
	}
	i := d.instance(c)
	i.ExitCode, i.OOMKilled = d.ending(ctx, c)
	return i, nil
}

func (d *Driver) instance(c container.InspectResponse) node.Instance {
	i := node.Instance{
		Key: keyOf(c.Config.Labels), Labels: aboutOf(c.Config.Labels), Image: declaredOf(c.Config.Labels).Image,
		State: stateOf(c.State), ExitCode: exitCodeOf(c), OOMKilled: c.State.OOMKilled, Error: cmp.Or(c.State.Error, d.unstarted(c.ID)),
		Restarts: c.RestartCount, StartedAt: timeOf(c.State.StartedAt), Altered: d.altered(c),
	}
	i.Health, i.HealthMessage = healthOf(c.State)
	return i
}

func stateOf(s *container.State) node.State {
	switch {
	case s.Paused:
		return node.Exited // it does nothing; Altered says why
	case s.Restarting:
		return node.Restarting
	case s.Running:
		return node.Running
	case s.Status == container.StateCreated:
		return node.Created
	default:
		return node.Exited
	}
}

// healthOf is what Docker's own check says.
func healthOf(s *container.State) (health, message string) {
	if s.Health == nil {
		return "unknown", ""
	}
	if n := len(s.Health.Log); n > 0 && s.Health.Log[n-1] != nil {
		message = s.Health.Log[n-1].Output
	}
	switch s.Health.Status {
	case container.Healthy:
		if s.Health.FailingStreak > 0 {
			return "failing", message
		}
		return "ok", message
	case container.Unhealthy:
		return "anomaly", message
	default:
		return "unknown", message
	}
}

// timeOf reads Docker's time; the zero time is never.
func timeOf(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t.UTC()
}

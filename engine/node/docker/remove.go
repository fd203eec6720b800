package docker

import (
	"context"
	"errors"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Remove implements node.Driver. Docker forgets the output with the container; this
// process remembers its end.
func (d *Driver) Remove(ctx context.Context, key node.Key) error {
	err := d.remove(ctx, key)
	if err == nil {
		d.noteGone(key)
	}
	return d.sure(key.Deployment, err)
}

func (d *Driver) remove(ctx context.Context, key node.Key) error {
	c, err := d.find(ctx, key)
	if errors.Is(err, engine.ErrNotFound) {
		return d.removeUnfinished(ctx, key)
	}
	if err != nil {
		return err
	}
	// First what else has its labels: half made ones, and copies that somebody made.
	if err := d.removeLabelled(ctx, key, func(other container.Summary) bool { return other.ID != c.ID }); err != nil {
		return err
	}
	d.rememberLogs(ctx, c)
	_, err = d.api.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	if ignoreGone(err) != nil {
		return d.failed("remove "+key.Name, err)
	}
	if c.HostConfig.ReadonlyRootfs {
		return d.failed("remove the files of "+key.Name, errors.Join(
			d.removeFiles(ctx, containerName(key)), d.removeFiles(ctx, containerName(key)+staged)))
	}
	return nil
}

// RemoveDeployment implements node.Driver.
func (d *Driver) RemoveDeployment(ctx context.Context, deployment string, volumes []string) error {
	defer d.unlearn(deployment)
	if err := d.removeHeld(ctx, deployment, volumes); err != nil {
		return err
	}
	if err := d.dismiss(ctx, deployment); err != nil {
		return err
	}
	return d.removeNetwork(ctx, deployment)
}

// lateAttempts is how often it is looked for a container that came late.
const lateAttempts = 50

// removeHeld removes the containers and then the volumes that they had. What an Engine
// makes for a call that was cut off may come late, and have one of the volumes by then.
func (d *Driver) removeHeld(ctx context.Context, deployment string, volumes []string) error {
	for attempt := 1; ; attempt++ {
		if err := d.removeContainers(ctx, deployment); err != nil {
			return err
		}
		err := d.removeVolumes(ctx, deployment, volumes)
		if !errors.Is(err, engine.ErrConflict) || attempt == lateAttempts {
			return err
		}
		select {
		case <-d.cfg.After(updatePause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// removeContainers removes also what was never finished: everything with the labels.
func (d *Driver) removeContainers(ctx context.Context, deployment string) error {
	list, err := d.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: d.owned(deployment)})
	if err != nil {
		return d.failed("list containers", err)
	}
	d.unplug(ctx, deployment, list.Items)
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(inspections)
	for _, c := range list.Items {
		if c.State == container.StateRemoving {
			continue
		}
		group.Go(func() error {
			_, err := d.api.ContainerRemove(gctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
			return d.failed("remove "+nameOf(c), ignoreGone(err))
		})
	}
	return group.Wait()
}

// unplug takes containers that run off the deployment's network, one after the other:
// an Engine before 28 that takes many off at the same time may count wrong, and never
// remove the network. What fails here the removal of the container does.
func (d *Driver) unplug(ctx context.Context, deployment string, all []container.Summary) {
	for _, c := range all {
		if c.State == container.StateRunning {
			_, _ = d.api.NetworkDisconnect(ctx, networkName(deployment), client.NetworkDisconnectOptions{Container: c.ID, Force: true})
		}
	}
}

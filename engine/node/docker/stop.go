package docker

import (
	"context"
	"errors"
	"strings"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Stop implements node.Driver. The grace period is kept to the millisecond, which
// Docker's own is not.
func (d *Driver) Stop(ctx context.Context, key node.Key) error {
	err := d.stop(ctx, key)
	if err == nil {
		d.noteState(key, container.StateExited)
	}
	return d.sure(key.Deployment, err)
}

func (d *Driver) stop(ctx context.Context, key node.Key) error {
	c, err := d.find(ctx, key)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	// First, so that the Docker Engine never starts it again with itself. A Podman
	// that cannot change this does not.
	if err := d.setRestart(ctx, c, container.RestartPolicyDisabled); ignoreGone(err) != nil {
		return d.failed("stop "+key.Name, err)
	}
	if !c.State.Running && !c.State.Restarting && !c.State.Paused {
		return nil
	}
	made := declaredOf(c.Config.Labels)
	grace, err := engine.ParseDuration("stop_grace_period", made.Grace, defaultGrace)
	if err != nil {
		grace = defaultGrace
	}
	stopped := make(chan struct{})
	defer close(stopped)
	go func() {
		select {
		case <-d.cfg.After(grace):
			_, _ = d.api.ContainerKill(context.WithoutCancel(ctx), c.ID, client.ContainerKillOptions{Signal: "SIGKILL"})
		case <-stopped:
		case <-ctx.Done():
		}
	}()
	seconds := int(grace.Seconds()) + 2 // the kill above comes first
	_, err = d.api.ContainerStop(ctx, c.ID, client.ContainerStopOptions{Timeout: &seconds})
	if cerrdefs.IsNotModified(err) || cerrdefs.IsNotFound(err) {
		return nil
	}
	return d.failed("stop "+key.Name, err)
}

// keepsRestarting gives back the restart policy that Stop took.
func (d *Driver) keepsRestarting(ctx context.Context, c container.InspectResponse) error {
	return d.setRestart(ctx, c, container.RestartPolicyMode(declaredOf(c.Config.Labels).Restart))
}

// Docker changes no container that is just ending, until it has noticed.
const (
	updateAttempts = 500
	updatePause    = 20 * time.Millisecond
)

// setRestart changes the container's restart policy.
func (d *Driver) setRestart(ctx context.Context, c container.InspectResponse, policy container.RestartPolicyMode) error {
	if policy == "" || c.HostConfig.RestartPolicy.Name == policy {
		return nil
	}
	for attempt := 1; ; attempt++ {
		_, err := d.api.ContainerUpdate(ctx, c.ID, client.ContainerUpdateOptions{RestartPolicy: &container.RestartPolicy{Name: policy}})
		if err == nil || !justEnding(err) || attempt == updateAttempts {
			return err
		}
		select {
		case <-d.cfg.After(updatePause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// justEnding reports whether runc found no process to change, in either of its words.
func justEnding(err error) bool {
	return strings.Contains(err.Error(), "stopped container") || strings.Contains(err.Error(), "container not running")
}

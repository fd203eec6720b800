package docker

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// startsAtOnce is how many containers start at the same time. More are ready no sooner:
// then the Engine spends more on each, and all are late.
const startsAtOnce = 10

// portAttempts is how many ports are tried where the node chooses.
const portAttempts = 8

// Start implements node.Driver. Docker takes the environment when a container is
// made, so that one is made anew when the secrets are not those it has.
func (d *Driver) Start(ctx context.Context, key node.Key, secrets node.Secrets) error {
	select {
	case d.starting <- struct{}{}:
		defer func() { <-d.starting }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	err := d.start(ctx, key, secrets)
	if err == nil {
		d.noteState(key, container.StateRunning)
	}
	return d.sure(key.Deployment, err)
}

func (d *Driver) start(ctx context.Context, key node.Key, secrets node.Secrets) error {
	c, err := d.find(ctx, key)
	if err != nil {
		return err
	}
	if c.State.Paused {
		_, err := d.api.ContainerUnpause(ctx, c.ID, client.ContainerUnpauseOptions{})
		return d.failed("unpause "+key.Name, err)
	}
	if c.State.Running || c.State.Restarting {
		return nil
	}
	c, err = d.withSecrets(ctx, c, secrets)
	if err != nil {
		return d.failed("give "+key.Name+" its secrets", err)
	}
	if err := d.keepsRestarting(ctx, c); err != nil {
		return d.failed("start "+key.Name, err)
	}
	for attempt := 1; ; attempt++ {
		_, err = d.api.ContainerStart(ctx, c.ID, client.ContainerStartOptions{})
		if err == nil || cerrdefs.IsNotModified(err) {
			d.noteStart(c.ID, "")
			return nil
		}
		d.noteStart(c.ID, plain(err))
		d.setJoined(key.Deployment, false) // it may be what is missing
		if homeless(err) && attempt < portAttempts {
			if err := d.makeEtc(ctx, c.ID); err != nil {
				return d.failed("make /etc in "+key.Name, err)
			}
			continue
		}
		if misplaced(err) && attempt < portAttempts {
			if err := d.resettle(ctx, c); err != nil {
				return err
			}
			continue
		}
		if !portTaken(err.Error()) || !choosesPorts(declaredOf(c.Config.Labels)) || attempt == portAttempts {
			return errors.Join(d.startFailed(key, err), d.staysJoined(ctx, c))
		}
		if c, err = d.otherPorts(ctx, c, attempt); err != nil {
			return d.failed("choose other ports for "+key.Name, err)
		}
	}
}

// noteStart keeps why a container did not start, "" = it did: Podman does not.
func (d *Driver) noteStart(id, why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if delete(d.refused, id); why != "" {
		d.refused[id] = why
	}
}

// unstarted is why the container's last start failed, as far as this process tried.
func (d *Driver) unstarted(id string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refused[id]
}

// staysJoined puts a container back into its network that newer Engines took off it
// when it failed to start, and would start without the next time.
func (d *Driver) staysJoined(ctx context.Context, before container.InspectResponse) error {
	now, err := d.api.ContainerInspect(ctx, before.ID, client.ContainerInspectOptions{})
	if err != nil || len(now.Container.NetworkSettings.Networks) > 0 {
		return nil // what is wrong with it the next start will tell
	}
	return d.rejoin(ctx, now.Container, d.hasName(before), addressOf(before))
}

// startFailed tells what the image or the component is to blame for.
func (d *Driver) startFailed(key node.Key, err error) error {
	text := plain(err)
	if portTaken(text) {
		return d.failed("start "+key.Name, err)
	}
	for _, sign := range []string{"OCI runtime create failed", "unable to find user", "unable to find group", "no matching entries", "starting container process", "executable file not found",
		"OCI runtime attempted to invoke a command", "unable to start container process"} {
		if strings.Contains(text, sign) {
			e := engine.Invalid("", "%s does not start: %s", key.Name, text)
			e.Hint = "check the component's command, user and image"
			return e
		}
	}
	return d.failed("start "+key.Name, err)
}

// withSecrets answers the container with the secrets in it.
func (d *Driver) withSecrets(ctx context.Context, c container.InspectResponse, secrets node.Secrets) (container.InspectResponse, error) {
	made := declaredOf(c.Config.Labels)
	env := envMap(c.Config.Env)
	names := slices.Sorted(maps.Keys(secrets.Env))
	same := slices.Equal(names, made.SecretEnv)
	for name, value := range secrets.Env {
		if has, ok := env[name]; !ok || has != value {
			same = false
		}
	}
	files, err := d.secretFiles(ctx, c, secrets)
	if err != nil {
		return c, err
	}
	if same && !c.HostConfig.ReadonlyRootfs {
		return c, d.copyIn(ctx, c.ID, files)
	}
	if same && len(files) == 0 {
		return c, nil
	}
	return d.remake(ctx, c, files, func(n *creation) {
		for _, name := range made.SecretEnv {
			delete(env, name)
		}
		maps.Copy(env, secrets.Env)
		n.config.Env, n.made.SecretEnv = envList(env), names
	})
}

func (d *Driver) secretFiles(ctx context.Context, c container.InspectResponse, secrets node.Secrets) ([]file, error) {
	if len(secrets.Files) == 0 {
		return nil, nil
	}
	who, err := d.accountOf(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	var all []file
	for _, path := range slices.Sorted(maps.Keys(secrets.Files)) {
		all = append(all, file{path: path, content: secrets.Files[path], mode: secretMode, uid: who.uid, gid: who.gid})
	}
	return all, nil
}

func choosesPorts(made declared) bool {
	for _, p := range made.Ports {
		if *p.HostPort == 0 {
			return true
		}
	}
	return false
}

// otherPorts makes the container anew with other ports where the node chooses.
func (d *Driver) otherPorts(ctx context.Context, c container.InspectResponse, attempt int) (container.InspectResponse, error) {
	return d.remake(ctx, c, nil, func(n *creation) {
		taken := map[int]bool{}
		for _, port := range n.made.Chosen {
			taken[port] = true
		}
		n.made.Chosen = choose(d.cfg.EngineID+"/"+c.Config.Labels[labelDeployment], c.Config.Labels[labelComponent], n.made.Ports, nil, taken, attempt)
		n.host.PortBindings = d.portBindings(n.made)
	})
}

// remake makes a container like another that does not run, with a change, and
// puts it in its place. Whatever interrupts it, one of them is the instance.
func (d *Driver) remake(ctx context.Context, c container.InspectResponse, extra []file, change func(*creation)) (container.InspectResponse, error) {
	key := keyOf(c.Config.Labels)
	n := creation{config: c.Config, host: c.HostConfig, made: declaredOf(c.Config.Labels), address: addressOf(c)}
	if strings.HasPrefix(c.ID, n.config.Hostname) {
		n.config.Hostname = "" // it was Docker's choice
	}
	n.host.Mounts = withoutFiles(n.host.Mounts)
	asGiven(n.host)
	n.host.NetworkMode = container.NetworkMode(networkName(key.Deployment))
	files, err := d.copyOut(ctx, c.ID, n.made.Files)
	if err != nil {
		return c, err
	}
	change(&n)
	name := containerName(key)
	if c.Name == "/"+name+staged { // its predecessor is gone: now it has the name
		if _, err := d.api.ContainerRename(ctx, c.ID, client.ContainerRenameOptions{NewName: name}); err != nil {
			return c, err
		}
	}
	if err := d.discard(ctx, name+staged, n); err != nil {
		return c, err
	}
	var aliases []string
	if d.hasName(c) {
		aliases = []string{c.Config.Labels[labelComponent]}
	}
	id, err := d.build(ctx, name+staged, n, append(files, extra...), nil, aliases)
	if err != nil {
		return c, err
	}
	if _, err := d.api.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true}); ignoreGone(err) != nil {
		return c, err
	}
	if _, err := d.api.ContainerRename(ctx, id, client.ContainerRenameOptions{NewName: name}); err != nil {
		return c, err
	}
	d.setNamed(id, len(aliases) > 0)
	d.noteMade(id, name, n.config.Labels)
	found, err := d.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return c, err
	}
	return found.Container, nil
}

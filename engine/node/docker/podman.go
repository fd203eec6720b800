package docker

import (
	"context"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// The runtimes that speak Docker's API.
const (
	runtimeDocker = "docker"
	runtimePodman = "podman"
)

// runtimeOf tells Podman by its own log driver: no other field that the API has
// for all of them says what answers.
func runtimeOf(info system.Info) string {
	if slices.Contains(info.Plugins.Log, "k8s-file") {
		return runtimePodman
	}
	return runtimeDocker
}

// isPodman reports whether a node that answered so is one.
func isPodman(info node.Info) bool { return strings.HasPrefix(info.RuntimeVersion, runtimePodman+" ") }

// placeOf tells one Docker Engine from another, however each is reached: by its id,
// which older ones share with all on their machine, and by where it keeps its images.
// Podman has another id whenever it is asked, so its machine's name stands for it.
func placeOf(info system.Info) string {
	id := info.ID
	if runtimeOf(info) == runtimePodman {
		id = info.Name
	}
	return strings.Join([]string{runtimeOf(info), id, info.DockerRootDir}, " ")
}

// asGiven undoes how Podman tells what it was given, for it to take it once more, and
// to compare.
func asGiven(host *container.HostConfig) {
	for _, u := range host.Ulimits {
		u.Name = strings.ToLower(strings.TrimPrefix(u.Name, "RLIMIT_"))
	}
	for path, options := range host.Tmpfs {
		host.Tmpfs[path] = strings.TrimSuffix(options, ",rprivate,tmpcopyup")
	}
}

// homeless reports whether a container did not start for want of /etc, as in an
// image in which that is a link to nowhere. Docker makes it then, Podman does not.
func homeless(err error) bool { return says(err, "open /etc in the container: no such file") }

// makeEtc makes the directory where the container's /etc leads.
func (d *Driver) makeEtc(ctx context.Context, id string) error {
	etc, err := d.placeOf(ctx, id, "/etc")
	if err != nil {
		return err
	}
	packed, err := directory(etc, account{})
	if err != nil {
		return err
	}
	_, err = d.api.CopyToContainer(ctx, id, client.CopyToContainerOptions{DestinationPath: "/", Content: packed})
	return err
}

// fillUlimits adds to the ulimits of a component those that a container without any
// gets: Podman gives one that has some others for the rest, which it may have no right to.
func (d *Driver) fillUlimits(ctx context.Context, s node.Spec, host *container.HostConfig) error {
	if len(host.Ulimits) == 0 {
		return nil
	}
	info, err := d.Info(ctx)
	if err != nil || !isPodman(info) {
		return err
	}
	id, err := d.makeProbe(ctx, s, &container.HostConfig{NetworkMode: "none"})
	if err != nil {
		return notInvalid(err)
	}
	defer d.removeProbe(ctx, id)
	usual, err := d.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return err
	}
	asGiven(usual.Container.HostConfig)
	for _, u := range usual.Container.HostConfig.Ulimits {
		if !slices.ContainsFunc(host.Ulimits, func(own *container.Ulimit) bool { return own.Name == u.Name }) {
			host.Ulimits = append(host.Ulimits, u)
		}
	}
	return nil
}

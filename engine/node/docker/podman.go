package docker

import (
	"slices"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/system"

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

// asGiven undoes how Podman tells what it was given, for it to take it once more.
func asGiven(host *container.HostConfig) {
	for _, u := range host.Ulimits {
		u.Name = strings.ToLower(strings.TrimPrefix(u.Name, "RLIMIT_"))
	}
}

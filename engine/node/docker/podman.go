package docker

import (
	"strings"

	"github.com/moby/moby/api/types/container"
)

// asGiven undoes how Podman tells what it was given, for it to take it once more.
func asGiven(host *container.HostConfig) {
	for _, u := range host.Ulimits {
		u.Name = strings.ToLower(strings.TrimPrefix(u.Name, "RLIMIT_"))
	}
}

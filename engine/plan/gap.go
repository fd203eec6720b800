package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// gap says why instances of the wanted configuration cannot run beside the
// retired ones, "" when they can.
func (c change) gap(retired []Instance) string {
	was := c.was
	for _, i := range retired {
		if !c.served || i.ConfigHash != c.was.ConfigHash {
			was = c.want // nobody knows what it holds: take it for the same
		}
	}
	return join(obstacle(was, c.want, c.traits), c.restored)
}

// join lists reasons, of which some may be "".
func join(reasons ...string) string {
	return strings.Join(slices.DeleteFunc(reasons, func(r string) bool { return r == "" }), ", ")
}

// obstacle is what instances of both configurations cannot hold at once.
func obstacle(was, want catalog.Effective, traits Traits) string {
	var all []string
	if traits.Recreate {
		all = append(all, recreate)
	}
	for _, name := range slices.Sorted(maps.Keys(want.Component.Volumes)) {
		if old, shared := was.Component.Volumes[name]; shared && exclusive(old, want.Component.Volumes[name]) {
			all = append(all, "single-writer volume "+name)
		}
	}
	if !traits.StartFirstPorts {
		old := fixedPorts(was)
		for _, p := range fixedPorts(want) {
			if slices.Contains(old, p) {
				all = append(all, p.String())
			}
		}
		all = append(all, chosenPorts(was, want)...)
	}
	return strings.Join(all, ", ")
}

// recreate is the obstacle that the strategy makes.
const recreate = "strategy recreate"

// exclusive reports whether two mounts of one volume, both writing, must not
// exist at once because either of them says so.
func exclusive(a, b engine.Volume) bool {
	return !a.ReadOnly && !b.ReadOnly && (catalog.SingleWriter(a) || catalog.SingleWriter(b))
}

// chosenPorts names the ports that the node chose and that the successor keeps.
func chosenPorts(was, want catalog.Effective) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(want.Component.Ports)) {
		old, p := was.Component.Ports[name], want.Component.Ports[name]
		if p.Published() && *p.HostPort == 0 && old.Published() {
			all = append(all, "published port "+name)
		}
	}
	return all
}

// fixedPort is a host port that the user chose.
type fixedPort struct {
	port     int
	protocol string
}

func (p fixedPort) String() string {
	if p.protocol == catalog.TCP {
		return fmt.Sprintf("fixed host port %d", p.port)
	}
	return fmt.Sprintf("fixed host port %d/%s", p.port, p.protocol)
}

// fixedPorts lists them in the order of the ports' names.
func fixedPorts(e catalog.Effective) []fixedPort {
	ports := catalog.Defaults(e.Component).Ports
	var all []fixedPort
	for _, name := range slices.Sorted(maps.Keys(ports)) {
		if p := ports[name]; p.Published() && *p.HostPort > 0 {
			all = append(all, fixedPort{*p.HostPort, p.Protocol})
		}
	}
	return all
}

package docker

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
)

// altered tells what differs from what was made, each in a short phrase. Values of
// variables and labels are in none: they may be secret.
func (d *Driver) altered(c container.InspectResponse) []string {
	made := declaredOf(c.Config.Labels)
	asGiven(c.HostConfig)
	var all []string
	say := func(differs bool, format string, args ...any) {
		if differs {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	name := strings.TrimPrefix(c.Name, "/")
	key := keyOf(c.Config.Labels)
	say(c.State.Paused, "is paused")
	say(name != containerName(key) && name != containerName(key)+staged, "name is %s", name)
	say(!sameImage(c.Config.Image, made), "image is %s", c.Config.Image)
	say(c.HostConfig.Memory != made.Memory, "memory is %s", bytesOrNone(c.HostConfig.Memory))
	say(c.HostConfig.NanoCPUs != made.CPU, "cpu is %g", float64(c.HostConfig.NanoCPUs)/1e9)
	say(pids(c.HostConfig.PidsLimit) != made.Pids, "pids is %d", pids(c.HostConfig.PidsLimit))
	say(c.HostConfig.RestartPolicy.Name != container.RestartPolicyMode(made.Restart) && c.State.Running, "restart policy is %q", c.HostConfig.RestartPolicy.Name)
	all = append(all, alteredValues("environment variable", envMap(c.Config.Env), made.Env)...)
	all = append(all, alteredValues("label", c.Config.Labels, made.Labels)...)
	all = append(all, alteredMounts(mountPhrases(c.HostConfig), made.Mounts)...)
	all = append(all, alteredPorts(c.HostConfig.PortBindings, d.portBindings(made))...)
	all = append(all, alteredOptions(c.HostConfig, made)...)
	return append(all, alteredNetworks(c, append([]string{networkName(key.Deployment)}, made.Networks...))...)
}

// sameImage reports whether the name is of what the container was made from.
// Podman tells its image by a tag that it has, which may be anybody's mark.
func sameImage(name string, made declared) bool {
	return name == made.Run || marks.MatchString(name) && strings.HasSuffix(name, ":"+hexOf(made.Image))
}

// alteredValues names those of the wanted, fingerprints by name, that are not as
// they were; others may be there too.
func alteredValues(kind string, values, wanted map[string]string) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		switch value, there := values[name]; {
		case !there:
			all = append(all, fmt.Sprintf("%s %s is missing", kind, name))
		case fingerprint(value) != wanted[name]:
			all = append(all, fmt.Sprintf("%s %s has another value", kind, name))
		}
	}
	return all
}

// alteredMounts compares mountPhrases.
func alteredMounts(mounts, wanted []string) []string {
	var all []string
	for _, m := range wanted {
		if !slices.Contains(mounts, m) {
			all = append(all, "mount is missing: "+m)
		}
	}
	for _, m := range mounts {
		if !slices.Contains(wanted, m) {
			all = append(all, "mount was added: "+m)
		}
	}
	return all
}

// mountPhrases spells what is mounted, however the container was asked for it.
func mountPhrases(host *container.HostConfig) []string {
	var all []string
	for _, m := range append(slices.Clone(host.Mounts), bound(host.Binds)...) {
		if strings.HasSuffix(m.Source, filesSuffix) || strings.Contains(m.Source, filesSuffix+"/") {
			continue // how files come in is the driver's own business
		}
		phrase := fmt.Sprintf("%s %s %s", m.Type, m.Source, m.Target)
		if m.ReadOnly {
			phrase += " ro"
		}
		all = append(all, phrase)
	}
	slices.Sort(all)
	return all
}

// bound reads what docker run -v makes: source:target[:options].
func bound(binds []string) []mount.Mount {
	var all []mount.Mount
	for _, b := range binds {
		parts := append(strings.SplitN(b, ":", 3), "", "")
		m := mount.Mount{Type: mount.TypeVolume, Source: parts[0], Target: parts[1], ReadOnly: slices.Contains(strings.Split(parts[2], ","), "ro")}
		if strings.HasPrefix(m.Source, "/") {
			m.Type = mount.TypeBind
		}
		all = append(all, m)
	}
	return all
}

// alteredPorts names the container's ports that are not published as they were.
func alteredPorts(bindings, wanted network.PortMap) []string {
	both := maps.Clone(wanted)
	maps.Copy(both, bindings)
	var all []string
	for _, port := range slices.SortedFunc(maps.Keys(both), func(a, b network.Port) int { return strings.Compare(a.String(), b.String()) }) {
		switch now := bindings[port]; {
		case slices.Equal(now, wanted[port]):
		case len(now) == 0:
			all = append(all, fmt.Sprintf("port %s is not published", port))
		default:
			all = append(all, fmt.Sprintf("port %s is published at %s", port, addresses(now)))
		}
	}
	return all
}

func addresses(bindings []network.PortBinding) string {
	var all []string
	for _, b := range bindings {
		ip := b.HostIP
		if !ip.IsValid() {
			ip = netip.IPv4Unspecified()
		}
		all = append(all, ip.String()+":"+b.HostPort)
	}
	return strings.Join(all, " and ")
}

func alteredNetworks(c container.InspectResponse, wanted []string) []string {
	var all []string
	for _, name := range wanted {
		if _, joined := c.NetworkSettings.Networks[name]; !joined {
			all = append(all, "is not in network "+name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.NetworkSettings.Networks)) {
		if !slices.Contains(wanted, name) && !asGuest(c, name) {
			all = append(all, "is also in network "+name)
		}
	}
	return all
}

// asGuest reports whether the container may be in the network as a guest.
func asGuest(c container.InspectResponse, network string) bool {
	return c.Config.Labels[labelGuest] != "" && strings.HasPrefix(network, networkPrefix)
}

func pids(limit *int64) int64 {
	if limit == nil || *limit < 0 {
		return 0
	}
	return *limit
}

func bytesOrNone(n int64) string {
	if n == 0 {
		return "not limited"
	}
	return fmt.Sprintf("%d bytes", n)
}

package docker

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"github.com/moby/moby/api/types/container"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// optional puts into host what most containers do without.
func optional(host *container.HostConfig, c engine.Component) error {
	if dns := c.DNS; dns != nil {
		for i, text := range dns.Servers {
			address, err := netip.ParseAddr(text)
			if err != nil {
				return engine.Invalid("dns.servers."+strconv.Itoa(i), "%q is not an IP address", text)
			}
			host.DNS = append(host.DNS, address)
		}
		host.DNSSearch, host.DNSOptions = dns.Search, dns.Options
	}
	host.Sysctls = c.Sysctls
	for _, name := range slices.Sorted(maps.Keys(c.Ulimits)) {
		host.Ulimits = append(host.Ulimits, &container.Ulimit{Name: name, Soft: c.Ulimits[name].Soft, Hard: c.Ulimits[name].Hard})
	}
	for _, target := range slices.Sorted(maps.Keys(c.Devices)) {
		device := c.Devices[target]
		host.Devices = append(host.Devices, container.DeviceMapping{
			PathOnHost: device.Source, PathInContainer: target, CgroupPermissions: cmp.Or(device.Permissions, "rwm"),
		})
	}
	return giveGPUs(host, c.GPUs)
}

// everyGPU is how Docker counts them.
const everyGPU = -1

func giveGPUs(host *container.HostConfig, wanted string) error {
	if wanted == "" {
		return nil
	}
	count := everyGPU
	if wanted != engine.AllGPUs {
		var err error
		if count, err = strconv.Atoi(wanted); err != nil {
			return engine.Invalid("gpus", "%q is not how many", wanted)
		}
	}
	host.DeviceRequests = []container.DeviceRequest{{Count: count, Capabilities: [][]string{{"gpu"}}}}
	return nil
}

// logConfig lets files be rotated where the driver writes files.
func logConfig(l *engine.Logging) (container.LogConfig, error) {
	var wanted engine.Logging
	if l != nil {
		wanted = *l
	}
	logs := container.LogConfig{Type: cmp.Or(wanted.Driver, engine.DefaultLogDriver), Config: map[string]string{}}
	maps.Copy(logs.Config, wanted.DriverOptions)
	if !wanted.Rotates() {
		return logs, nil
	}
	size, err := engine.ParseSize("logging.max_size", wanted.MaxSize, defaultLogSize)
	if err != nil {
		return logs, err
	}
	files := defaultLogFiles
	if wanted.MaxFiles != nil {
		files = max(1, *wanted.MaxFiles)
	}
	logs.Config["max-size"], logs.Config["max-file"] = strconv.FormatInt(size, 10), strconv.Itoa(files)
	return logs, nil
}

// declaredOptions are the fingerprints, by attribute, of those options that the
// component declares: what the node chooses for others is its own business.
func declaredOptions(c engine.Component, host *container.HostConfig) map[string]string {
	all := optionsOf(host)
	logging := c.Logging != nil && (len(c.Logging.DriverOptions) > 0 || !slices.Contains([]string{"", engine.DefaultLogDriver}, c.Logging.Driver))
	for name, declares := range map[string]bool{
		"dns": c.DNS != nil, "sysctls": len(c.Sysctls) > 0, "devices": len(c.Devices) > 0, "gpus": c.GPUs != "",
		"logging": logging, "extra_hosts": len(c.ExtraHosts) > 0, "tmpfs": len(c.Tmpfs) > 0,
	} {
		if !declares {
			delete(all, name)
		}
	}
	return all
}

// optionsOf fingerprints what a container has of each option.
func optionsOf(host *container.HostConfig) map[string]string {
	gpus := 0
	for _, r := range host.DeviceRequests {
		gpus += r.Count
	}
	return fingerprints(map[string]string{
		"dns":         fmt.Sprint(host.DNS, host.DNSSearch, host.DNSOptions),
		"sysctls":     fmt.Sprint(host.Sysctls),
		"devices":     fmt.Sprint(host.Devices),
		"gpus":        strconv.Itoa(gpus),
		"logging":     fmt.Sprint(host.LogConfig),
		"extra_hosts": fmt.Sprint(host.ExtraHosts),
		"tmpfs":       fmt.Sprint(host.Tmpfs),
	})
}

// alteredOptions names those that are not what they were made as.
func alteredOptions(host *container.HostConfig, made declared) []string {
	now := optionsOf(host)
	var all []string
	for _, name := range slices.Sorted(maps.Keys(made.Options)) {
		if now[name] != made.Options[name] {
			all = append(all, "has other "+name)
		}
	}
	return all
}

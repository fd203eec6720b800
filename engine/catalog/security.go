package catalog

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// AllCapabilities stands for every capability in capabilities_add and capabilities_drop.
const AllCapabilities = "ALL"

// capabilities of Linux 6, capabilities(7).
var capabilities = wordSet(`AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN
	DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN
	MAC_OVERRIDE MKNOD NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP
	SETUID SYSLOG SYS_ADMIN SYS_BOOT SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO
	SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM ` + AllCapabilities)

// owning are the capabilities that reach past a container's namespaces, by
// capabilities(7): mount and cgroups (SYS_ADMIN), the kernel's code (SYS_MODULE,
// kexec_load by SYS_BOOT) and memory (SYS_RAWIO, BPF, PERFMON), files by their handle
// (DAC_READ_SEARCH), and the policy that confines it (MAC_ADMIN, MAC_OVERRIDE).
// NET_ADMIN and SYS_PTRACE are not among them: they act on the container's own
// network and processes.
var owning = wordSet(`BPF DAC_READ_SEARCH MAC_ADMIN MAC_OVERRIDE PERFMON SYS_ADMIN SYS_BOOT SYS_MODULE SYS_RAWIO ` + AllCapabilities)

// OwningCapabilities are those in names whose holder owns the machine, where it is
// not in a user namespace of its own.
func OwningCapabilities(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !owning[name] })
}

// ulimits that setrlimit(2) knows.
var ulimits = wordSet(`as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

func validateSecurity(s *engine.Security) error {
	if s == nil {
		return nil
	}
	var p problems
	check := func(field string, names []string) {
		for i, name := range names {
			at := field + "." + strconv.Itoa(i)
			if bare := strings.TrimPrefix(name, "CAP_"); bare != name && capabilities[bare] {
				p.invalid(at, "capabilities are written without CAP_: %q", bare)
			} else if !capabilities[name] {
				p.invalid(at, "%q is not a Linux capability, such as NET_BIND_SERVICE, or ALL", name)
			}
		}
	}
	check("capabilities_add", s.CapabilitiesAdd)
	check("capabilities_drop", s.CapabilitiesDrop)
	return p.err()
}

func validateLogging(l *engine.Logging) error {
	if l == nil {
		return nil
	}
	var p problems
	_, err := engine.ParseSize("max_size", l.MaxSize, 0)
	p.add(err)
	p.add(validateDriver(l.Driver, l.DriverOptions))
	if !l.Rotates() && l.MaxSize != "" {
		p.invalid("max_size", "the log driver %q does not rotate files: leave it out, or say it in driver_options", l.Driver)
	}
	if !l.Rotates() && l.MaxFiles != nil {
		p.invalid("max_files", "the log driver %q does not rotate files: leave it out, or say it in driver_options", l.Driver)
	}
	for name, other := range map[string]string{"max-size": "max_size", "max-file": "max_files"} {
		if _, both := l.DriverOptions[name]; both && l.Rotates() {
			p.invalid("driver_options."+name, "how files are rotated is said in %s", other)
		}
	}
	if l.MaxFiles != nil && *l.MaxFiles < 1 {
		p.invalid("max_files", "%d files cannot hold a log: use 1 or more", *l.MaxFiles)
	}
	return p.err()
}

func validateLabels(labels map[string]string) error {
	var p problems
	for name := range sorted(labels) {
		switch {
		case name == "":
			p.invalid("labels", "the name of a label must not be empty")
		case strings.HasPrefix(name, "slipway"):
			p.invalid("labels."+name, "labels that begin with slipway are the engine's own")
		}
	}
	return p.err()
}

func validateExtraHosts(hosts map[string]string) error {
	var p problems
	for name, address := range sorted(hosts) {
		if name == "" || strings.ContainsAny(name, " \t\n\x00") {
			p.invalid("extra_hosts", "%q is not a host name", name)
		}
		if _, err := netip.ParseAddr(address); err != nil {
			p.invalid("extra_hosts."+name, "%q is not an IP address", address)
		}
	}
	return p.err()
}

// unlimited is how a ulimit says that there is none.
const unlimited = -1

func validateUlimits(limits map[string]engine.Ulimit) error {
	var p problems
	for name, l := range sorted(limits) {
		field := "ulimits." + name
		switch {
		case !ulimits[name]:
			p.invalid(field, "%q is not a resource limit, such as nofile or nproc", name)
		case l.Soft < unlimited || l.Hard < unlimited:
			p.invalid(field, "a limit is 0 or more, or -1 for unlimited")
		case l.Hard != unlimited && (l.Soft == unlimited || l.Soft > l.Hard):
			p.invalid(field+".soft", "the soft limit %d is above the hard limit %d", l.Soft, l.Hard)
		}
	}
	return p.err()
}

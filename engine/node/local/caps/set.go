package caps

import (
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// names are the capabilities by number, as linux/capability.h counts them.
var names = []string{
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
	"LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
	"SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
	"SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
	"MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
	"CHECKPOINT_RESTORE",
}

// usual are the fourteen that Docker gives (moby, daemon/pkg/oci/caps/defaults.go).
var usual = []string{
	"CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP",
	"NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE",
}

// Set is a set of capability numbers, bit by bit.
type Set uint64

// Has reports whether the capability with that number is in the set.
func (s Set) Has(number int) bool { return s&(1<<number) != 0 }

// Wanted gives the usual capabilities without drop and with add; ALL means all
// of them. Names come with or without CAP_.
func Wanted(add, drop []string) (Set, error) {
	var s Set
	for _, n := range usual {
		s |= bit(n)
	}
	for _, n := range drop {
		b, err := parse("security.capabilities_drop", n)
		if err != nil {
			return 0, err
		}
		s &^= b
	}
	for _, n := range add {
		b, err := parse("security.capabilities_add", n)
		if err != nil {
			return 0, err
		}
		s |= b
	}
	return s, nil
}

func parse(field, name string) (Set, error) {
	short := strings.TrimPrefix(strings.ToUpper(name), "CAP_")
	if short == "ALL" {
		return 1<<len(names) - 1, nil
	}
	if !slices.Contains(names, short) {
		return 0, engine.Invalid(field, "%q is not a capability", name)
	}
	return bit(short), nil
}

func bit(name string) Set { return 1 << slices.Index(names, name) }

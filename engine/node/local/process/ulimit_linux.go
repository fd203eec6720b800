package process

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// Ulimits are the names of resource limits, as Docker spells them.
var Ulimits = map[string]int{
	"as": unix.RLIMIT_AS, "core": unix.RLIMIT_CORE, "cpu": unix.RLIMIT_CPU, "data": unix.RLIMIT_DATA,
	"fsize": unix.RLIMIT_FSIZE, "locks": unix.RLIMIT_LOCKS, "memlock": unix.RLIMIT_MEMLOCK,
	"msgqueue": unix.RLIMIT_MSGQUEUE, "nice": unix.RLIMIT_NICE, "nofile": unix.RLIMIT_NOFILE,
	"nproc": unix.RLIMIT_NPROC, "rss": unix.RLIMIT_RSS, "rtprio": unix.RLIMIT_RTPRIO,
	"rttime": unix.RLIMIT_RTTIME, "sigpending": unix.RLIMIT_SIGPENDING, "stack": unix.RLIMIT_STACK,
}

func limit(pid int, limits map[string]engine.Ulimit) error {
	for name, l := range limits {
		resource, ok := Ulimits[strings.ToLower(name)]
		if !ok {
			return engine.Unsupported("ulimits."+name, "no such limit", "")
		}
		wanted := unix.Rlimit{Cur: amount(l.Soft), Max: amount(l.Hard)}
		if err := unix.Prlimit(pid, resource, &wanted, nil); err != nil {
			e := engine.Unsupported("ulimits."+name, fmt.Sprintf("the node does not allow %d:%d (%v)", l.Soft, l.Hard, err),
				"ask for no more than the hard limit of the user that runs the engine (ulimit -H)")
			return e
		}
	}
	return nil
}

// amount reads -1 as no limit.
func amount(n int64) uint64 {
	if n < 0 {
		return unix.RLIM_INFINITY
	}
	return uint64(n)
}

// HardLimit tells the highest value that this process can give, -1 = no bound.
func HardLimit(name string) (int64, bool) {
	resource, ok := Ulimits[strings.ToLower(name)]
	if !ok {
		return 0, false
	}
	var now unix.Rlimit
	if err := unix.Getrlimit(resource, &now); err != nil {
		return 0, false
	}
	if now.Max == unix.RLIM_INFINITY {
		return -1, true
	}
	return int64(now.Max), true
}
